import type { CredentialMode } from "../../domain/index.ts";
import type { AgentHost, ExecutionContext, Executor } from "../contract.ts";

/** What one task's agent is given. */
export interface TaskLease {
  /** Its environment, but for HOME and TMPDIR, which are the task's own. */
  env: Readonly<Record<string, string>>;
  gateway?: ExecutionContext["gateway"] | undefined;
  credentials?: CredentialMode | undefined;
  /** Called once the task is over, e.g. to close its key. */
  release(): Promise<void>;
}

export interface ServeAgentOptions {
  /** What does the work: any executor, e.g. `acp` with a preset. */
  executor: Executor;
  host: AgentHost;
  /** Of the agent, as its card shows it. */
  name: string;
  description?: string | undefined;
  version?: string | undefined;
  /** Callers must show it as `Authorization: Bearer`. At least 16 characters. */
  token: string;
  /** Of 127.0.0.1. Default 0: any free one. */
  port?: number | undefined;
  /** Where the folder of each task is made, and removed again. */
  folder: string;
  /** Called for each task before it starts. */
  lease(attempt: string): Promise<TaskLease>;
  /** Most tasks at a time; more are rejected. Default 1. */
  slots?: number | undefined;
  /** A task is ended after this, whatever its caller allows. Default 30 minutes. */
  deadlineMs?: number | undefined;
  /** Most bytes of a request, and of all files of an answer. Default 32 MiB. */
  mostBytes?: number | undefined;
  /** What happens, for people; no secret is in it. */
  onEvent?: ((text: string) => void) | undefined;
}

export interface ServedAgent {
  /** Where the card is: `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** Stops taking tasks, cancels those that run, and waits until they are gone. */
  close(): Promise<void>;
}

/**
 * Offers a local agent to others over A2A 1.0 (JSON-RPC, with or without streaming), on this machine's loopback only. Each task runs
 * in a fresh folder that holds the files it came with; files that are new, changed or gone afterwards are the answer.
 */
export async function serveAgent(options: ServeAgentOptions): Promise<ServedAgent> {
  // The library for A2A takes a tenth of a second to load: not on every command's way.
  return (await import("./serving.ts")).startServing(options);
}
