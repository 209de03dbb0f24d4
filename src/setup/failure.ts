/** Something a command cannot go on with, said to a person. */
export class RequestError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number;
  constructor(code: RequestErrorCode, message: string, hint: string, exitCode = 2) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

export type RequestErrorCode =
  | "USAGE"
  | "NOT_SUPPORTED_YET"
  | "RUN_UNKNOWN"
  | "RUN_AMBIGUOUS"
  | "RUN_UNFINISHED"
  | "RUN_OVER"
  | "RUN_DRIVEN"
  | "RUN_UNREPEATABLE"
  | "PROJECT_UNKNOWN"
  | "PHASE_UNKNOWN"
  | "SERVER_SILENT"
  | "STEP_UNKNOWN"
  | "STEP_NOT_ROUTABLE"
  | "UNKNOWN_TIER"
  | "AGENT_NOT_READY"
  | "STEP_WITHOUT_PRICE"
  | "PROVIDER_NOT_READY"
  | "CREDENTIALS_UNSUPPORTED"
  | "PROTOCOL_MISMATCH"
  | "NO_SANDBOX"
  | "PREFLIGHT_FAILED"
  | "INTERRUPTED"
  | "SCRIPT_BAD"
  | "SECRET_MISSING"
  | "PIPELINE_MODULE"
  | "NOTHING_TO_MERGE"
  | "BRANCH_GONE"
  | "NEEDS_CONFIRMATION"
  | "HOME_NOT_WRITABLE"
  | "HOME_GONE"
  | "NO_GATE"
  | "FILE_EXISTS"
  | "DEMO_FAILED";

/** Problems of a file or of the settings, already on one screen. */
export class InputProblems extends Error {
  readonly problems: readonly { code: string; message: string; hint: string; file: string; line: number; col: number }[];
  constructor(problems: InputProblems["problems"], formatted: string) {
    super(formatted);
    this.name = "InputProblems";
    this.problems = problems;
  }
}

/** An error of any room: they all carry a code, a sentence and what to do. */
export interface TypedError {
  code: string;
  message: string;
  hint: string;
}

export const isTyped = (error: unknown): error is Error & TypedError =>
  error instanceof Error &&
  typeof (error as { code?: unknown }).code === "string" &&
  typeof (error as { hint?: unknown }).hint === "string";
