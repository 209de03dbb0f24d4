import type { PipelineProblem } from "../pipeline/index.ts";

export type LibraryErrorCode =
  | "PIPELINE_INVALID" // `problems` says what and where
  | "INPUT_INVALID" // a value for a pipeline's input
  | "SCHEMA_INVALID" // a zod schema that JSON Schema cannot say
  | "SETTINGS_INVALID"
  | "SETTINGS_CHANGED" // other settings than those of the runs that go on
  | "SECRET_MISSING"
  | "AGENT_ID_TAKEN"
  | "RUN_UNKNOWN"
  | "RUN_DRIVEN" // another process drives it
  | "BUDGET_SPENT" // the run waits for a higher budget
  | "CLOSED";

/** `message` says what happened; `hint` what to do. */
export class LibraryError extends Error {
  readonly code: LibraryErrorCode;
  readonly hint: string;
  /** Of PIPELINE_INVALID: everything that is wrong, with places. */
  readonly problems: readonly PipelineProblem[];
  constructor(
    code: LibraryErrorCode,
    message: string,
    hint: string,
    options: { cause?: unknown; problems?: readonly PipelineProblem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LibraryError";
    this.code = code;
    this.hint = hint;
    this.problems = options.problems ?? [];
  }
}

/** An error of any part of Stepfall: all carry a `code`, a sentence and what to do. */
export const isStepfallError = (error: unknown): error is Error & { code: string; hint: string } =>
  error instanceof Error &&
  typeof (error as { code?: unknown }).code === "string" &&
  typeof (error as { hint?: unknown }).hint === "string";
