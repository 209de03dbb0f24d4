import type { KeySpec } from "./contract.ts";

/**
 * The gateway is two processes. The holder has the home's lock, the port and, in memory only, what a worker needs to go on after another: the
 * keys that are open and the engines. The worker does the work: it reads requests, calls models, writes the spool. Connections are accepted by
 * the holder and handed over before a byte of them is read; while no worker is there they wait.
 */

/** An engine that said hello. */
export interface KnownEngine {
  client: string;
  pid: number;
  startTime: string;
}

/** A key as an engine opened it last. */
export interface OpenedKey {
  key: string;
  /** The engine that opened it. */
  client: string;
  spec: KeySpec;
}

export interface Handover {
  adminToken: string;
  port: number;
  engines: KnownEngine[];
  keys: OpenedKey[];
}

export type ToWorker =
  | { type: "begin"; handover: Handover }
  /** Comes with a socket. `n` names it in the answer. */
  | { type: "connection"; n: number }
  | { type: "end"; reason: string };

export type FromWorker =
  | { type: "ready" }
  /** The connection is the worker's now: the holder lets go of its copy. */
  | { type: "taken"; n: number }
  /** The message came without its socket (some systems drop one now and then): send it again. */
  | { type: "missed"; n: number }
  | { type: "opened"; opened: OpenedKey }
  | { type: "closed"; key: string }
  | { type: "hello"; engine: KnownEngine }
  | { type: "goodbye"; client: string }
  /** It ends in good order; no other is to be started. */
  | { type: "ending"; reason: string };
