/** A call that cannot be carried out, said to the agent that called. */
export class McpCallError extends Error {
  readonly code: "NOT_ALLOWED" | "TOO_MANY_CHANGES" | "USAGE" | "RUN_UNKNOWN" | "RESOURCE_UNKNOWN";
  /** What to do instead. */
  readonly hint: string;
  constructor(code: McpCallError["code"], message: string, hint: string) {
    super(message);
    this.name = "McpCallError";
    this.code = code;
    this.hint = hint;
  }
}
