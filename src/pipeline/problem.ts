import type { Pipeline } from "../domain/index.ts";
import type { Problem, ReadingCode } from "../config/index.ts";

export type PipelineProblemCode =
  | ReadingCode
  | "PIPELINE_EMPTY"
  | "NO_STEPS"
  | "TOO_MANY_STEPS"
  | "TOO_MANY_CHILDREN" // a matrix or a list makes more steps than `max`
  | "STEP_NO_KIND" // neither a prompt, a command, nor any other kind
  | "STEP_TWO_KINDS"
  | "STEP_NO_CONTRACT" // nothing tells when it is done
  | "SELF_NEED"
  | "UNKNOWN_NEED"
  | "UNKNOWN_TIER"
  | "PIPELINE_CYCLE"
  | "BAD_JSON_SCHEMA"
  | "BAD_EXPRESSION" // no CEL, or of the wrong type for its place
  | "EXPRESSION_NOT_HERE"
  | "UNSAFE_EXPRESSION" // its value could be read as shell
  | "UNKNOWN_VARIABLE"
  | "NOT_A_NEED" // an expression uses a step that may not be over
  | "UNKNOWN_SECRET"
  | "BAD_INPUT"
  | "MISSING_INPUT"
  | "NESTED_CYCLE"
  | "NESTED_TOO_DEEP"
  | "NESTED_OUTSIDE"; // a nested file outside the project, or where no files are read

/** One thing that is wrong with a pipeline, where it is, and what to do. */
export type PipelineProblem = Problem<PipelineProblemCode>;

export type ParsedPipeline = { ok: true; pipeline: Pipeline } | { ok: false; problems: PipelineProblem[] };
