export type AgentErrorCode =
  /** A process was to be started but could not be put on record; it did not run. */
  | "AGENT_RECORD_IO"
  /** The transcript could not be written; the process was ended. */
  | "AGENT_TRANSCRIPT_IO"
  /** The process failed on a disk that had no room left: whose fault that is, nobody can tell. */
  | "AGENT_DISK_FULL"
  /** `send` to a process whose stdin is not open. */
  | "AGENT_STDIN_CLOSED"
  /** Processes cannot be told apart on this system. */
  | "AGENT_PLATFORM"
  /** The keeper of an agent's process is gone without a word of how it ended; what was left of the agent was ended. */
  | "AGENT_KEEPER_LOST"
  /** A keeper could not be started; no agent ran. */
  | "AGENT_KEEPER_START"
  /** Another engine has this attempt now, or has ended it. This one has no say in it any more. */
  | "AGENT_SUPERSEDED"
  /** The host of the attempt was disposed of while its agent worked; the agent goes on. */
  | "AGENT_LET_GO"
  /** A process was to run in a sandbox, which could not be prepared; it did not run. */
  | "AGENT_SANDBOX"
  /** The token of an agent that is offered to others is too short to keep anybody out. */
  | "AGENT_TOKEN_WEAK"
  /** The port to offer an agent on cannot be had. */
  | "AGENT_PORT";

/** `message` says what happened and where; `hint` what to do. */
export class AgentError extends Error {
  readonly code: AgentErrorCode;
  readonly hint: string;
  constructor(code: AgentErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "AgentError";
    this.code = code;
    this.hint = hint;
  }
}
