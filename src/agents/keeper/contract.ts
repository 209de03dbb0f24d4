import type { Clock } from "../../domain/index.ts";
import type { AgentHost, Exit, ProcessRecord } from "../contract.ts";
import type { EndGrace } from "../host/process.ts";

/**
 * Agent processes that outlive the engine: each is the child of a keeper, a small process of its own that writes the transcript,
 * ends the agent at its deadline, and ends itself when the agent is gone and its exit is on disk. Files of an attempt are below
 * `<home>/keepers/`, until `forget`.
 */
export interface KeeperHost extends Disposable {
  /** Starts so many keepers ahead of time, so that agents start quicker. Disposing of the host lets those go that got nothing to do. */
  prepare(count: number): void;
  /** For one attempt, by the engine that holds its lease with this epoch. Disposing lets go: agents go on. */
  forAttempt(request: KeepRequest): AgentHost & AsyncDisposable;
  /** What there is of an attempt, in the order it was started. Starts nothing and asks nobody: it is read from disk. */
  kept(attempt: string): KeptProcess[];
  /** Ends keepers and agents of an attempt, also one that is only just starting, and keeps new ones from starting. Answers what was ended. */
  endLeftovers(attempt: string): Promise<ProcessRecord[]>;
  /** Once the outcome of an attempt is durable: removes its files. What should still run of it is ended. */
  forget(attempt: string): Promise<void>;
  /** All attempts that have files here. */
  list(): string[];
}

export interface KeepRequest {
  attempt: string;
  /** Of the lease of the attempt. A keeper obeys the highest it has seen. */
  epoch: number;
  /**
   * False: every `spawn` starts a process. True: the n-th `spawn` takes the n-th process up that is there of the attempt, running
   * or ended, and its handle tells all lines from the first again; only further ones are started.
   */
  takeUp: boolean;
}

/** A process of an attempt, as it is on disk. */
export interface KeptProcess {
  /** From 1 on, in the order of `spawn`. */
  index: number;
  /** Absent: the agent was not started (yet), or could not be. */
  agent?: ProcessRecord;
  /** Absent: the keeper has not put itself on record (yet). */
  keeper?: ProcessRecord;
  state: KeptState;
  /** Absent until the first. */
  lastBeat?: Beat;
}

export type KeptState =
  | { kind: "running" }
  | { kind: "ended"; exit: Exit }
  /** Its keeper is gone, or its transcript could not be written. What became of the agent is not known; it may still run. */
  | { kind: "lost"; evidence: string };

/** A sign of life of a keeper, every 2 seconds. */
export interface Beat {
  /** Epoch milliseconds. */
  at: number;
  /** Of the last line on disk. */
  seq: number;
  /** When the agent last printed a line; absent when it has not. */
  lastOutputAt?: number;
  /** Of the agent with its descendants, as the system counts it: shared pages in each. Children that lost their parent are not in it. */
  agentRssBytes: number;
  keeperRssBytes: number;
}

export interface KeeperHostOptions {
  /** STEPFALL_HOME. */
  home: string;
  clock: Clock;
  /** Takes secrets out of what is told of a keeper that failed. */
  mask: (text: string) => string;
  /** What keepers mask in every line of output. Handed to them by stdin. */
  secrets: () => readonly string[];
  /** Most one process may write, as bytes of its transcript; then it is ended as `flooded`. Default 32 MiB. */
  transcriptLimitBytes?: number;
  /** Time between TERM, INT and KILL. Default 2 s each. */
  grace?: Partial<EndGrace>;
  /** Time between heartbeats. Default 2 s. */
  beatMs?: number;
  /** How long a replay waits for its executor to repeat an input before the lines after it are told all the same. Default 10 s. */
  replayPatienceMs?: number;
}
