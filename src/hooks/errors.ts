export type HooksErrorCode =
  | "HOOK_UNKNOWN_EVENT" // there is no event of that name
  | "HOOK_BAD_FILTER"; // its `if` is no condition

/** `message` says which hook and what is wrong with it; `hint` what to do. */
export class HooksError extends Error {
  readonly code: HooksErrorCode;
  readonly hint: string;
  constructor(code: HooksErrorCode, message: string, hint: string) {
    super(message);
    this.name = "HooksError";
    this.code = code;
    this.hint = hint;
  }
}
