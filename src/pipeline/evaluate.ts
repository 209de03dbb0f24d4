/**
 * What a pipeline leaves open until it runs, and how it is filled in: inputs, `${{ }}`, matrices, lists, nested
 * pipelines. Pure: the same values always give the same steps, so a fold of the journal can do it again. Nothing here throws.
 */

/** How a step ended, as expressions see it: `steps.fix.outcome`, `steps.fix.output`, `steps.fix.summary`. */
export interface StepResult {
  outcome: "succeeded" | "failed" | "skipped" | "cancelled";
  /** Structured output, JSON; null in expressions when there is none. */
  output?: unknown;
  /** Empty in expressions when there is none. */
  summary?: string | undefined;
}

/** What expressions of a step may see. */
export interface Scope {
  /** Of the pipeline the step stands in: at the top those of `resolveInputs`, in a nested one those `expandGroup` answered. */
  inputs: Readonly<Record<string, unknown>>;
  /** Steps that are over, by what follows `step.scope` in their path. */
  steps: Readonly<Record<string, StepResult>>;
  run: { id: string; branch: string };
  /** Round of the repeated group, from 1: for `repeatIsDone` and `groupOutput`. Children carry theirs in their expressions. */
  round?: number | undefined;
}

export type EvaluationCode =
  | "EXPRESSION_FAILED" // it cannot be computed with these values
  | "EXPRESSION_TOO_COSTLY"
  | "WRONG_RESULT" // a value of the wrong type for its place
  | "UNSAFE_VALUE" // no such value may stand in a command, a path or a process's environment
  | "TOO_MANY_CHILDREN"
  | "INPUT_UNKNOWN"
  | "INPUT_MISSING"
  | "INPUT_INVALID";

/** What went wrong, and what to do. A step with a problem has failed. */
export interface EvaluationProblem {
  code: EvaluationCode;
  /** A sentence that names the place, e.g. `steps.fix.prompt`. Never holds a secret. */
  message: string;
  hint: string;
}

export type Evaluated<T> = ({ ok: true } & T) | { ok: false; problem: EvaluationProblem };

/** Values for a pipeline's inputs, or all that is wrong with those given. */
export type ResolvedInputs = { ok: true; inputs: Record<string, unknown> } | { ok: false; problems: EvaluationProblem[] };
