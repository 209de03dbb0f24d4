export type GatewayErrorCode =
  | "GATEWAY_START_FAILED" // the process ended before it answered; the log says why
  | "GATEWAY_GONE" // it was there and is not any more: connect again
  | "GATEWAY_UNREACHABLE" // the process lives and does not answer
  | "GATEWAY_OTHER_VERSION" // a running gateway belongs to another version of Stepfall
  | "GATEWAY_REFUSED" // it answered, and said no
  | "GATEWAY_PORT_TAKEN" // another program listens where agents expect the gateway
  | "GATEWAY_SECRET" // keys cannot be derived
  | "GATEWAY_SPOOL"; // the spool cannot be read or written

/** `message` says what happened and where; `hint` what to do. */
export class GatewayError extends Error {
  readonly code: GatewayErrorCode;
  readonly hint: string;
  constructor(code: GatewayErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "GatewayError";
    this.code = code;
    this.hint = hint;
  }
}
