export type ServerErrorCode = "PORT_TAKEN" | "SERVER_FAILED" | "ROLE_TOO_LOW";

/** Why the server cannot serve, or will not. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;
  readonly hint: string;
  constructor(code: ServerErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "ServerError";
    this.code = code;
    this.hint = hint;
  }
}
