import { LibraryError } from "../errors.ts";
import { celText, expression, isExpression, type AnyExpression, type Expression, type Later } from "./expression.ts";
import type { InputExpressions } from "./inputs.ts";
import type {
  AgentSpec,
  ApproveSpec,
  AskSpec,
  CommandSpec,
  ControlSpec,
  Maybe,
  NestedSpec,
  RepeatedSpec,
  RepeatSpec,
  StepName,
  StepRef,
} from "./step-spec.ts";
import { partsOf } from "./typed-pipeline.ts";
import { plain, stepsIn, yamlMap, type YamlMap } from "./write-step.ts";

/** An axis of a matrix: its values, or an expression that answers them. */
type Axes = Readonly<Record<string, readonly unknown[] | Expression<readonly unknown[]>>>;
type AxisValues<A> = {
  readonly [K in keyof A]: Expression<A[K] extends readonly (infer V)[] ? V : A[K] extends Expression<readonly (infer V)[]> ? V : never>;
};
type Combination<A> = { readonly [K in keyof A]?: A[K] extends readonly (infer V)[] ? V : unknown };

/** What the body of a pipeline is written with. Each function adds a step, in this order, and answers how others refer to it. */
export interface Builder<I> {
  /** The pipeline's inputs. */
  readonly inputs: InputExpressions<I>;
  /** Secrets that the pipeline names, for `env` alone. */
  readonly secrets: Readonly<Record<string, Expression<string>>>;
  readonly run: { readonly id: Expression<string>; readonly branch: Expression<string> };
  /** Which round it is, from 1: in a pipeline that is repeated. */
  readonly round: Expression<number>;
  /** A step that an agent does. */
  agent<T = null, If = never, May = never, Fail = never>(id: string, spec: AgentSpec<T, If, May, Fail>): StepRef<Maybe<T, If | May | Fail>>;
  /** A step that the shell does. */
  command<T = null, If = never, May = never, Fail = never>(
    id: string,
    spec: CommandSpec<T, If, May, Fail>,
  ): StepRef<Maybe<T, If | May | Fail>>;
  /** Waits until people agree. */
  approve(id: string, spec: ApproveSpec): StepRef<null>;
  /** Asks people; the answer is `output.answer`. */
  ask<const Choice extends string = string, If = never, May = never, Fail = never>(
    id: string,
    spec: AskSpec<Choice, If, May, Fail>,
  ): StepRef<Maybe<{ answer: Choice }, If | May | Fail>>;
  /** One step for each item of a list; the output is the list of theirs. */
  forEach<Item, I2, O2, If = never, May = never, Fail = never>(
    id: string,
    list: readonly Item[] | Expression<readonly Item[]>,
    make: (item: Expression<Item>, index: Expression<number>) => NestedSpec<I2, O2, If, May, Fail> & RepeatSpec,
  ): StepRef<Maybe<O2[], If | May | Fail>>;
  forEach<Item, T = null, If = never, May = never, Fail = never>(
    id: string,
    list: readonly Item[] | Expression<readonly Item[]>,
    make: (item: Expression<Item>, index: Expression<number>) => (AgentSpec<T, If, May, Fail> | CommandSpec<T, If, May, Fail>) & RepeatSpec,
  ): StepRef<Maybe<T[], If | May | Fail>>;
  /** One step for each combination of values; the output is the list of theirs. */
  matrix<const A extends Axes, I2, O2, If = never, May = never, Fail = never>(
    id: string,
    axes: A,
    make: (values: AxisValues<A>, index: Expression<number>) => NestedSpec<I2, O2, If, May, Fail> & RepeatSpec,
    change?: MatrixChange<NoInfer<A>>,
  ): StepRef<Maybe<O2[], If | May | Fail>>;
  matrix<const A extends Axes, T = null, If = never, May = never, Fail = never>(
    id: string,
    axes: A,
    make: (values: AxisValues<A>, index: Expression<number>) => (AgentSpec<T, If, May, Fail> | CommandSpec<T, If, May, Fail>) & RepeatSpec,
    change?: MatrixChange<NoInfer<A>>,
  ): StepRef<Maybe<T[], If | May | Fail>>;
  /** Another typed pipeline as one step, once or until it is done. */
  nested<I2, O2, If = never, May = never, Fail = never>(
    id: string,
    spec: NestedSpec<I2, O2, If, May, Fail>,
  ): StepRef<Maybe<O2, If | May | Fail>>;
}

/** Combinations to add to a matrix, and to leave out. */
export interface MatrixChange<A> {
  include?: readonly (Combination<A> & Readonly<Record<string, unknown>>)[];
  exclude?: readonly Combination<A>[];
}

/** Collects steps in the shape of YAML; what a `Builder` is at run time. */
export class StepCollector {
  readonly steps = new Map<string, YamlMap>();
  readonly inputs: Readonly<Record<string, Expression>>;
  readonly secrets: Readonly<Record<string, Expression<string>>>;
  readonly run = { id: expression<string>("run.id"), branch: expression<string>("run.branch") };
  /** Secrets that nested pipelines name: the file they are put into must name them too. */
  readonly secretsBelow = new Set<string>();
  /** Its steps say which round it is: alone it is no pipeline. */
  usesRound = false;
  readonly #pipeline: string;

  constructor(pipeline: string, inputs: Iterable<string>, secrets: readonly string[]) {
    this.#pipeline = pipeline;
    this.inputs = Object.fromEntries([...inputs].map((name) => [name, expression(`inputs.${name}`)]));
    this.secrets = Object.fromEntries(secrets.map((name) => [name, expression<string>(`secrets.${name}`)]));
  }

  get round(): Expression<number> {
    this.usesRound = true;
    return expression("round");
  }

  agent = <T>(id: string, spec: AgentSpec): StepRef<T> => this.#add(id, spec, workOf(spec));
  command = <T>(id: string, spec: CommandSpec): StepRef<T> => this.#add(id, spec, workOf(spec));

  approve = (id: string, spec: ApproveSpec): StepRef<null> => {
    const { control, own } = apart(spec);
    const { rework } = spec;
    return this.#add(
      id,
      spec,
      yamlMap({ approve: yamlMap({ ...own, rework: rework === undefined ? undefined : namesOf(rework) }), ...control }),
    );
  };

  ask = <T>(id: string, spec: AskSpec): StepRef<T> => {
    const { control, own } = apart(spec);
    return this.#add(id, spec, yamlMap({ ask: yamlMap(own), ...control }));
  };

  nested = <T>(id: string, spec: NestedSpec<unknown, unknown>): StepRef<T> => this.#add(id, spec, this.#repeatedOf(id, spec));

  forEach = <T>(
    id: string,
    list: Later<readonly unknown[]>,
    make: (item: Expression, index: Expression<number>) => RepeatedSpec,
  ): StepRef<T> => {
    const spec = make(expression("item"), expression("index"));
    const foreach = isExpression(list) ? list.toString() : plain(list);
    return this.#add(id, spec, new Map([["foreach", foreach], ...this.#repeatedOf(id, spec)]));
  };

  matrix = <T>(
    id: string,
    axes: Axes,
    make: (values: never, index: Expression<number>) => RepeatedSpec,
    change: { include?: readonly unknown[]; exclude?: readonly unknown[] } = {},
  ): StepRef<T> => {
    const names = new Set([...Object.keys(axes), ...(change.include ?? []).flatMap((c) => Object.keys(c as object))]);
    const values = Object.fromEntries([...names].map((name) => [name, expression(`matrix.${name}`)]));
    const spec = make(values as never, expression("index"));
    return this.#add(id, spec, new Map([["matrix", plain({ ...axes, ...change })], ...this.#repeatedOf(id, spec)]));
  };

  #repeatedOf(id: string, spec: RepeatedSpec | NestedSpec<unknown, unknown>): YamlMap {
    if (!("pipeline" in spec)) return workOf(spec);
    const secrets = partsOf(spec.pipeline).top.get("secrets");
    if (Array.isArray(secrets)) for (const name of secrets as string[]) this.secretsBelow.add(name);
    return nestedOf(`${this.#pipeline}: ${id}`, spec);
  }

  #add<T>(id: string, control: ControlSpec, body: YamlMap): StepRef<T> {
    if (this.steps.has(id))
      throw new LibraryError("PIPELINE_INVALID", `${this.#pipeline}: two steps are called ${id}`, "Give one of them another id.");
    const needs = this.#needsOf(control, body);
    this.steps.set(id, needs === undefined ? body : new Map([["needs", needs], ...body]));
    const path = /^[A-Za-z_]\w*$/.test(id) ? `steps.${id}` : `steps[${JSON.stringify(id)}]`;
    return {
      id,
      output: expression(`${path}.output`) as StepRef<T>["output"],
      outcome: expression(`${path}.outcome`),
      summary: expression(`${path}.summary`),
    };
  }

  /** Those it names, and those whose values it uses. A step that runs on failure, or at the end, waits for all others unless it names some. */
  #needsOf(control: ControlSpec, body: YamlMap): string[] | undefined {
    const named = control.needs === undefined ? [] : namesOf(control.needs);
    if (control.needs === undefined && (control.onFailure === true || control.finally === true)) return undefined;
    const known = new Set(this.steps.keys());
    const used = [...body].flatMap(([key, value]) => {
      // These are about the steps inside.
      if (key === "steps" || key === "repeat" || (key === "outputs" && body.has("steps"))) return [];
      return stepsIn(value, known, key === "if" || key === "foreach");
    });
    const all = [...new Set([...named, ...used])];
    return all.length === 0 && control.needs === undefined ? undefined : all;
  }
}

const namesOf = (steps: StepName | readonly StepName[]): string[] =>
  (Array.isArray(steps) ? (steps as readonly StepName[]) : [steps as StepName]).map((s) => (typeof s === "string" ? s : s.id));

const CONTROL: readonly string[] = ["if", "onFailure", "finally", "mayFail", "priority", "phase"] satisfies (keyof ControlSpec)[];

/** What every step may say, and what only such a one does. `needs` is written by itself. */
function apart(spec: ControlSpec): { control: object; own: object } {
  const entries = Object.entries(spec).filter(([key]) => key !== "needs");
  return {
    control: Object.fromEntries(entries.filter(([key]) => CONTROL.includes(key))),
    own: Object.fromEntries(entries.filter(([key]) => !CONTROL.includes(key))),
  };
}

/** `output` and `outputs` are one key in YAML. */
function workOf(spec: AgentSpec | CommandSpec): YamlMap {
  const { output, outputs } = spec;
  const map = yamlMap({ ...spec, needs: undefined, output: undefined });
  if (output === undefined) return map;
  const file = new Map<string, unknown>([
    ["file", output.file],
    ["schema", output.schema],
  ]);
  return map.set("outputs", new Map<string, unknown>([...(outputs ? [["files", plain(outputs)] as const] : []), ["json", file]]));
}

/** The steps of another pipeline, written in place. Its inputs come with `with`, every one of them, so that none of those around it is seen. */
function nestedOf(where: string, spec: NestedSpec<unknown, unknown>): YamlMap {
  const { pipeline, repeat, env, budget } = spec;
  const given: Readonly<Record<string, unknown>> = { ...spec.with };
  const { top, steps, outputs } = partsOf(pipeline);
  const declared = (top.get("inputs") ?? new Map()) as ReadonlyMap<string, YamlMap>;
  for (const name of Object.keys(given))
    if (!declared.has(name)) throw new LibraryError("INPUT_INVALID", `${where}: ${pipeline.name} has no input ${name}`, "Leave it out.");
  const values = new Map<string, unknown>();
  for (const [name, about] of declared) {
    const value = given[name];
    if (value === undefined && !about.has("default"))
      throw new LibraryError("INPUT_INVALID", `${where}: ${pipeline.name} needs the input ${name}`, `Give it: with: { ${name}: ... }`);
    values.set(name, value === undefined ? about.get("default") : plain(value));
  }
  const around = top.get("env") as YamlMap | undefined;
  const map = yamlMap({
    ...spec,
    needs: undefined,
    pipeline: undefined,
    with: values.size > 0 ? values : undefined,
    env: around || env ? new Map([...(around ?? []), ...(env ? (plain(env) as YamlMap) : [])]) : undefined,
    budget: budget ?? top.get("budget"),
    repeat: repeat && { max: repeat.max, until: untilOf(repeat.until, outputs) },
  });
  map.set("steps", withDefaults(top, steps));
  if (outputs.size > 0) map.set("outputs", new Map([...outputs].map(([name, e]) => [name, celText(e)])));
  return map;
}

function untilOf(
  until: NonNullable<NestedSpec<unknown, unknown>["repeat"]>["until"],
  outputs: ReadonlyMap<string, AnyExpression>,
): unknown {
  if (typeof until !== "function") return isExpression(until) ? celText(until) : until;
  const condition = until(Object.fromEntries(outputs));
  return isExpression(condition) ? celText(condition) : condition;
}

/** What a pipeline says for all its steps, said by each of them: steps written in place have the defaults of what is around them. */
function withDefaults(top: YamlMap, steps: ReadonlyMap<string, YamlMap>): Map<string, YamlMap> {
  const defaults = (top.get("defaults") ?? new Map()) as YamlMap;
  const own = new Map<string, unknown>([...defaults, ...(top.has("protected") ? [["protected", top.get("protected")] as const] : [])]);
  if (own.size === 0) return new Map(steps);
  return new Map(
    [...steps].map(([id, step]) => {
      const nested = step.get("steps");
      if (nested instanceof Map) return [id, new Map(step).set("steps", withDefaults(top, nested as Map<string, YamlMap>))];
      if (!step.has("prompt") && !step.has("command")) return [id, step];
      const wanted = [...own].filter(([key]) => !step.has(key) && (key !== "agent" || step.has("prompt")));
      return [id, new Map([...step, ...wanted])];
    }),
  );
}
