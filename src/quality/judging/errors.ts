export type JudgeErrorCode =
  /** A budget refused the call. */
  | "JUDGE_BUDGET"
  /** The provider, or the way to it, failed. */
  | "JUDGE_PROVIDER"
  /** No model was handed in for a judge of this id. */
  | "JUDGE_UNKNOWN"
  /** The judging was asked for in a way that cannot work: no fence, two judges of one id. */
  | "JUDGE_REQUEST";

export class JudgeError extends Error {
  readonly code: JudgeErrorCode;
  readonly hint: string;
  constructor(code: JudgeErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "JudgeError";
    this.code = code;
    this.hint = hint;
  }
}
