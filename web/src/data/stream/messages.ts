import type { Recorded } from "../../../../src/domain/index.ts";

/** What a tab and the one stream of the browser say to each other. */

/** How an attempt is, as the engine that runs it last said. */
export interface LivenessItem {
  state: "running" | "idle" | "stuck" | "dead" | "unknown";
  since: number;
  evidence: readonly string[];
  risk?: { score: number } | undefined;
}

/** Something that happens now and is not journalled. */
export type LiveItem =
  | { type: "progress"; at: number; runId: string; attempt: string; step: string; text: string }
  | ({ type: "liveness"; at: number; runId: string; attempt: string; step: string } & LivenessItem);

export type ConnectionState =
  /** Not yet, or not again: a moment. */
  | "connecting"
  | "live"
  /** The server does not answer; tried again by itself. */
  | "lost"
  /** The server wants a login. */
  | "refused";

export interface Connection {
  state: ConnectionState;
  /** The server's version. */
  version?: string;
}

/** What happened to a run, for pages that show no event by event. */
export interface Touch {
  runId: string;
  type: string;
}

/** From the stream to a tab. Several of each at once: what came within a few milliseconds. */
export type FromStream =
  | { kind: "connection"; connection: Connection; globalSeq: number }
  /** From now on, events of these runs come: what was before has to be read. */
  | { kind: "watching"; runs: readonly string[] }
  | { kind: "news"; events: readonly Recorded[]; touched: readonly Touch[]; live: readonly LiveItem[]; globalSeq: number };

/** From a tab to the stream. */
export type ToStream =
  /** Whole events of these runs are wanted; of others it is enough to know that something happened. */
  | { kind: "watch"; runs: readonly string[] }
  /** Logged in again, or somebody does not want to wait. */
  | { kind: "retry" }
  | { kind: "bye" };

/** The run whose journal a stream is; `undefined` for streams of projects and of the fleet. */
export const runIdOf = (stream: string): string | undefined => (stream.startsWith("run:") ? stream.slice(4) : undefined);
