import type { Control } from "../../control/index.ts";
import type { Clock } from "../../domain/index.ts";

/** What a caller may do besides looking. */
export interface Rights {
  /** Start and cancel runs, say what results were worth. */
  steer: boolean;
  /** Answer questions. */
  answer: boolean;
  /** Decide what a person is to decide: approvals, leave that agents ask for, more money. */
  approve: boolean;
}

/** What all callers have in common. */
export interface McpOptions {
  control: Control;
  clock: Clock;
  /** Of Stepfall. */
  version: string;
  /** The project of calls that name none: a folder in it. */
  project?: string;
  /**
   * Who sits at the client, as far as it is known: the login. What they say when they are asked through their client is recorded as said by
   * `mcp:CLIENT/PERSON`; what the agent says, as said by `mcp:CLIENT`.
   */
  person?: string;
  /** The attempt by whose agent this server was started. Such an agent may look, and steers nothing: neither its own run nor others. */
  within?: string;
  /** Problems that are no answer to anybody. */
  onError?: (error: Error) => void;
}
