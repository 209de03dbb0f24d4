import type { Input as DomainInput } from "../../domain/index.ts";
import type { Expression, Later } from "./expression.ts";

declare const typeOfValue: unique symbol;

/** An input of a pipeline. `Optional`: it has a default. */
export interface InputSpec<T, Optional extends boolean = boolean> {
  readonly type: DomainInput["type"];
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly choices?: readonly unknown[] | undefined;
  readonly [typeOfValue]?: readonly [T, Optional];
}

export type InputSpecs = Readonly<Record<string, InputSpec<unknown>>>;
// oxlint-disable-next-line typescript/no-empty-object-type -- a pipeline without inputs has none
export type NoInputs = {};

type ValueOf<S> = S extends InputSpec<infer T> ? T : never;
type OptionalNames<I> = { [K in keyof I]: I[K] extends InputSpec<unknown, true> ? K : never }[keyof I];

/** Inputs that must be given. */
export type RequiredNames<I> = Exclude<keyof I, OptionalNames<I>>;

/** The inputs as the steps of the pipeline see them. */
export type InputExpressions<I> = { readonly [K in keyof I]: Expression<ValueOf<I[K]>> };

/** What is given for the inputs when the pipeline is run: those without a default must be there. */
export type InputValues<I> = { readonly [K in RequiredNames<I>]: ValueOf<I[K]> } & {
  readonly [K in OptionalNames<I>]?: ValueOf<I[K]> | undefined;
};

/** The same for a nested pipeline, where a value may be one that is known later. */
export type InputArguments<I> = { readonly [K in RequiredNames<I>]: Later<ValueOf<I[K]>> } & {
  readonly [K in OptionalNames<I>]?: Later<ValueOf<I[K]>> | undefined;
};

interface About<T> {
  description?: string;
  choices?: readonly T[];
}

function of<Base>(type: DomainInput["type"]) {
  function make<const T extends Base = Base>(about: About<T> & { default: NoInfer<T> }): InputSpec<T, true>;
  function make<const T extends Base = Base>(about?: About<T>): InputSpec<T, false>;
  function make(about: About<Base> & { default?: Base } = {}): InputSpec<Base> {
    return { type, ...about };
  }
  return make;
}

function list<T>(about: { description?: string; default: readonly T[] }): InputSpec<readonly T[], true>;
function list<T = unknown>(about?: { description?: string }): InputSpec<readonly T[], false>;
function list(about: { description?: string; default?: readonly unknown[] } = {}): InputSpec<readonly unknown[]> {
  return { type: "list", ...about };
}

function map<T extends object>(about: { description?: string; default: T }): InputSpec<T, true>;
function map<T extends object = Record<string, unknown>>(about?: { description?: string }): InputSpec<T, false>;
function map(about: { description?: string; default?: object } = {}): InputSpec<object> {
  return { type: "map", ...about };
}

/** Inputs of a pipeline by type: `input.string({ default: "1.0" })`. One without a default must be given; `choices` narrow its type. */
export const input = {
  string: of<string>("string"),
  number: of<number>("number"),
  integer: of<number>("integer"),
  boolean: of<boolean>("boolean"),
  list,
  map,
} as const;
