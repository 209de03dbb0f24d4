export type EngineErrorCode =
  | "RUN_UNKNOWN"
  | "RUN_DRIVEN" // another living process drives it
  | "RUN_OVER"
  | "AGENT_MISSING" // a step needs an agent that is not registered
  | "PREFLIGHT_FAILED"
  | "NO_DISK_ROOM" // for a further attempt
  | "ITEM_UNKNOWN"
  | "ITEM_CLOSED" // somebody was faster, or the attempt that asked is over
  | "ANSWER_REFUSED" // not by this person, or not such an answer
  | "MESSAGE_REFUSED" // nobody is there to take it, or not such an agent
  | "STEP_WITHOUT_PRICE"; // a budget over a model whose price nobody knows

/** `message` says what happened and where; `hint` what to do. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly hint: string;
  constructor(code: EngineErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.hint = hint;
  }
}
