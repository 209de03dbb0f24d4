/** Why something that was asked for did not happen, where a process of its own, or the machine, has said so. */
export class ControlError extends Error {
  /** `START_FAILED`, `DIFF_GONE`, `LAUNCH_FAILED`, ...; or the code that a started process ended with. */
  readonly code: string;
  readonly hint: string;
  /** Of a file: each with its place. */
  readonly problems?: readonly unknown[];
  constructor(code: string, message: string, hint: string, more: { problems?: readonly unknown[]; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = "ControlError";
    this.code = code;
    this.hint = hint;
    if (more.problems) this.problems = more.problems;
  }
}
