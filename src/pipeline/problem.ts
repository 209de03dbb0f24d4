import type { Pipeline } from "../domain/index.ts";
import type { Problem, ReadingCode } from "../config/index.ts";

export type PipelineProblemCode =
  | ReadingCode
  | "PIPELINE_EMPTY"
  | "NO_STEPS"
  | "TOO_MANY_STEPS"
  | "STEP_NO_KIND" // neither a prompt nor a command
  | "STEP_TWO_KINDS"
  | "STEP_NO_CONTRACT" // nothing tells when it is done
  | "SELF_NEED"
  | "UNKNOWN_NEED"
  | "PIPELINE_CYCLE"
  | "BAD_JSON_SCHEMA";

/** One thing that is wrong with a pipeline, where it is, and what to do. */
export type PipelineProblem = Problem<PipelineProblemCode>;

export type ParsedPipeline = { ok: true; pipeline: Pipeline } | { ok: false; problems: PipelineProblem[] };
