import type { StepType } from "../../config/index.ts";
import type { StepResult } from "../../pipeline/index.ts";
import type { AnyExpression, Expression } from "./expression.ts";
import type { InputArguments } from "./inputs.ts";
import type { JsonFile } from "./json-output.ts";
import type { TypedPipeline } from "./typed-pipeline.ts";

/** What a step says of itself: the keys of a YAML step (docs/pipeline.md), with `mayFail` for `may-fail`. */

/** A text; values that are known later are put in with `${}`. */
export type Text = string | Expression<string | number | boolean | null>;

/** Any step of the same pipeline. */
export interface AnyStepRef {
  readonly id: string;
  readonly output: AnyExpression;
  readonly outcome: Expression<StepResult["outcome"]>;
  /** The last words of its agent. */
  readonly summary: Expression<string>;
}

/** A step of the same pipeline, as others refer to it. */
export interface StepRef<T = unknown> extends AnyStepRef {
  /** The JSON it left; null when it declares none or was not run. */
  readonly output: Expression<T>;
}
/** A step, or its id. */
export type StepName = AnyStepRef | string;

/** CEL, true or false. */
export type Condition = Expression<boolean> | string;

/**
 * What every step may say. `If`, `May`, `Fail` are there so that the compiler knows whether the step can end without an output.
 */
export interface ControlSpec<If = Condition, May = boolean, Fail = boolean> {
  /** Steps that must be done first, beside those whose values it uses. */
  needs?: StepName | readonly StepName[];
  if?: If & Condition;
  onFailure?: Fail & boolean;
  finally?: boolean;
  mayFail?: May & boolean;
  priority?: number;
  /** A named part of the run, with a report of its own. */
  phase?: string;
}

/** Seconds, or `90s`, `10m`, `2h`. */
type Duration = string | number;

type Some<T> = T | readonly T[];

/** Gates of docs/gates.md: one key says which. */
interface GateKinds {
  command: Text;
  files: readonly Text[];
  diff: { maxFiles?: number; maxLines?: number; allow?: readonly Text[]; forbid?: readonly Text[] };
  coverage: true | { allow?: readonly Text[] };
  /** `schema`: a JSON Schema, or the path of a file that holds one. */
  schema: { files: Some<Text>; schema: string | Readonly<Record<string, unknown>> };
  regression: Text | { command: Text; format?: "junit" | "tap" | "json" | "go" | "exit-code"; report?: Some<Text> };
  syntax: true | readonly Text[] | { files?: readonly Text[]; except?: readonly Text[] };
  judge: Text | { rubric: Text | readonly (Text | Criterion)[]; judges?: Some<string>; stronger?: string; atLeast?: number };
}
interface Criterion {
  id?: string;
  text: Text;
  atLeast?: number;
}
/** Kinds that run a command. */
type Timed = "command" | "regression";
type OneGate<K extends keyof GateKinds> = Pick<GateKinds, K> & { readonly [Other in Exclude<keyof GateKinds, K>]?: never } & {
  name?: string;
} & (K extends Timed ? { timeout?: Duration } : unknown);

/** A command alone, or one of the kinds. */
export type GateSpec = Text | { [K in keyof GateKinds]: OneGate<K> }[keyof GateKinds];

export interface AgentChoice {
  id?: string;
  tier?: string;
  capability?: string | readonly string[];
}

interface WorkSpec<T> {
  /** Globs of files that must be there when it is done. */
  outputs?: readonly Text[];
  /** A JSON file that must be there: its content is the step's output. */
  output?: JsonFile<T>;
  gates?: readonly GateSpec[];
  setup?: readonly Text[];
  /** Undoes what `setup` did outside the workspace; run after the attempt, however it ended. */
  teardown?: readonly Text[];
  readonly?: boolean;
  retry?: number | { attempts?: number; backoff?: Duration };
  timeout?: Duration;
  /** What is done with an attempt that makes no progress. Without it: `retry` for agents, nothing for commands. */
  onStuck?: "retry" | "escalate" | "fail" | "ask";
  /** Silence after which it makes none; default 10m. */
  stuckAfter?: Duration;
  env?: Readonly<Record<string, Text | number | boolean>>;
  /** USD. */
  budget?: number;
  touches?: readonly Text[];
  affinity?: string;
  protected?: readonly string[];
}

/** Where it stands as one of several: in `forEach` and `matrix`. */
export interface RepeatSpec {
  /** Most of them; default 100. */
  max?: number;
  failFast?: boolean;
  parallel?: number;
}

/** One of `n`, `agents` and `tiers` says who the candidates are. */
export interface BestOf {
  n?: number;
  agents?: readonly string[];
  tiers?: readonly string[];
  judges?: Some<string>;
  stronger?: string;
  rubric?: string;
}

export interface AgentSpec<T = unknown, If = Condition, May = boolean, Fail = boolean> extends WorkSpec<T>, ControlSpec<If, May, Fail> {
  prompt: Text;
  agent?: string | AgentChoice;
  /** Whether, and how, the next attempt goes one tier up when a result was refused. */
  escalate?: boolean | { entry?: string; ceiling?: string; attempts?: number | Readonly<Record<string, number>> };
  /** What kind of work it is, for routing. */
  type?: StepType;
  /** Words that the project's rules look for. */
  labels?: readonly string[];
  /** Done several times; of what passes the gates one is picked and merged. */
  bestOf?: number | BestOf;
  permissions?: "allow" | "edits" | "ask" | "deny";
}

export interface CommandSpec<T = unknown, If = Condition, May = boolean, Fail = boolean> extends WorkSpec<T>, ControlSpec<If, May, Fail> {
  command: Text;
}

export interface ApproveSpec extends ControlSpec {
  title: Text;
  detail?: Text;
  who?: string | readonly string[];
  count?: number;
  expires?: Duration;
  onExpiry?: "approve" | "reject";
  rework?: StepName | readonly StepName[];
}

export interface AskSpec<Choice = string, If = Condition, May = boolean, Fail = boolean> extends ControlSpec<If, May, Fail> {
  question: Text;
  choices?: readonly Choice[];
  default?: NoInfer<Choice>;
  after?: Duration;
}

export interface NestedSpec<I, O, If = Condition, May = boolean, Fail = boolean> extends ControlSpec<If, May, Fail> {
  pipeline: TypedPipeline<I, O>;
  with?: InputArguments<NoInfer<I>>;
  env?: Readonly<Record<string, Text | number | boolean>>;
  /** USD, all its steps together. */
  budget?: number;
  /** Done again until a condition over the pipeline's outputs holds, or a command ends with 0. */
  repeat?: { until: Condition | ((outputs: OutputExpressions<NoInfer<O>>) => Condition) | { command: Text }; max: number };
}

/** The outputs of a pipeline, as `until` sees them. */
export type OutputExpressions<O> = { readonly [K in keyof O]: Expression<O[K]> };

/** The output of a step that may be skipped, or fail and be gone past. */
export type Maybe<T, Why> = [Why] extends [never] ? T : T | null;

/** Any of them, for those that only write them down. */
export type RepeatedSpec = (AgentSpec | CommandSpec | NestedSpec<unknown, unknown>) & RepeatSpec;
