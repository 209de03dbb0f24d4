import type { EventType, Recorded, RunEvent } from "../domain/index.ts";

/**
 * The store's port: journal, queue, leases, timers and projections, changed together in one transaction or not
 * at all. Every adapter (sqlite/, later postgres/) passes `conformance.ts`.
 */

export interface NewEvent {
  event: RunEvent;
  /** Epoch ms. */
  at: number;
  actor: string;
  cause?: string | undefined;
}

export interface Append {
  stream: string;
  /** The version the stream must have (0 = must not exist yet); anything else is `STORE_CONFLICT`. */
  expected: number;
  events: readonly NewEvent[];
}

/**
 * The right named `key`, held since `epoch`. A lease is valid while the stored epoch is the same, also after its time
 * has run out as long as nobody took it. Epochs of a key only grow; they need not begin at 1 nor be consecutive.
 */
export interface LeaseRef {
  key: string;
  epoch: number;
}

export interface QueueEntry {
  /** The attempt id. */
  id: string;
  runId: string;
  /** Agent ids that may reserve it; only these. At least one. Without affinity, the first of them that is free gets it. */
  agents: readonly string[];
  /** Higher first. */
  priority: number;
  /** Remaining path length below the step; longer first among equals. */
  rank: number;
  /** Steps with the same key prefer the agent that last did one of them in this run. */
  affinity?: string | undefined;
  /** Epoch ms. */
  enqueuedAt: number;
}

export interface Timer {
  id: string;
  runId: string;
  /** Epoch ms. */
  at: number;
}

export interface RunRow {
  runId: string;
  project: string;
  pipeline: string;
  branch: string;
  base: string;
  /** `running` says that it is not over; whether somebody drives it is told by its lease `run:<id>`. */
  status: "running" | "budget" | "waiting" | "succeeded" | "failed" | "cancelled";
  stepsTotal: number;
  /** Completed ones; failed, skipped and cancelled steps are over and not done. */
  stepsDone: number;
  startedAt: number;
  endedAt?: number | undefined;
  /** How long it did nothing but wait for people, and since when it does. Absent: it was last written before that was counted. */
  waitedForPeopleMs?: number | undefined;
  waitsForPeopleSince?: number | undefined;
}

/** One model call, as the gateway settled it. `callId` is unique for ever: importing twice changes nothing. */
export interface CallRow {
  callId: string;
  runId: string;
  attempt: string;
  agent: string;
  provider: string;
  model: string;
  tier: string;
  at: number;
  durationMs: number;
  /** Includes cached ones. */
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  microUsd: number;
  provenance: "reported" | "estimated" | "unknown";
  /** `ok`, `cancelled`, `failed`, `refused`. */
  outcome: string;
  /** What was reserved for it, micro-dollars. */
  reservedMicroUsd: number;
  /** Absent: our key. */
  credentials?: "pass-through" | undefined;
  /** Among the input tokens: written to the provider's cache, where that has a price. */
  cacheWriteTokens?: number | undefined;
}

/** What became of one attempt: what routing learns from. Made from the journal, and made again the same from it. */
export interface OutcomeRow {
  attempt: string;
  runId: string;
  step: string;
  project: string;
  /** When it was routed, epoch ms. */
  at: number;
  agent: string;
  tier: string;
  /** Kind of work, and how hard it looked, as routing saw it. */
  type: string;
  complexity?: number | undefined;
  policy?: string | undefined;
  /** `open`: it is not over. */
  verdict: "open" | "accepted" | "refused" | "failed" | "interrupted";
  /** How it failed. */
  failure?: string | undefined;
  gates: readonly { name: string; kind: string; verdict: string }[];
  /** What became clear later, whatever the gates said, and from what. */
  truth?: { verdict: "right" | "wrong"; because: string } | undefined;
  microUsd: number;
  /** Nobody knows what it cost: `microUsd` does not say it. */
  isUnpriced?: boolean | undefined;
  /** From its start to its end. */
  ms: number;
}

/** Something that waits for people. */
export interface InboxRow {
  /** Unique for ever. */
  item: string;
  runId: string;
  step: string;
  kind: "approval" | "question" | "permission" | "budget" | "conflict";
  title: string;
  detail?: string | undefined;
  /** Answers to choose from; empty: any text. */
  choices: readonly string[];
  /** Names of those who may answer; empty: anybody who can reach the inbox. */
  who: readonly string[];
  /** Epoch ms. */
  openedAt: number;
  /** Epoch ms. The row stays after it until it is removed: what expiry means is the run's to decide. */
  expiresAt?: number | undefined;
  /** The attempt that asks. */
  attempt?: string | undefined;
}

/** Read models, written in the same transaction as the events that cause them. */
export type ProjectionWrite =
  | { kind: "run"; row: RunRow }
  /** Removes first, then puts; an item that is there is replaced, an unknown one may be removed. Nothing else removes a row, the end of its run neither. */
  | { kind: "inbox"; put?: readonly InboxRow[] | undefined; remove?: readonly string[] | undefined }
  | { kind: "calls"; rows: readonly CallRow[] }
  /** A row that is there is replaced. */
  | { kind: "outcomes"; rows: readonly OutcomeRow[] }
  | { kind: "offset"; key: string; value: number };

export interface Commit {
  appends?: readonly Append[];
  /** Leases the writer must hold; if one is not held at its epoch nothing is written: `STORE_STALE_LEASE`. */
  fence?: readonly LeaseRef[];
  /** An id that is queued already stays as it is. */
  enqueue?: readonly QueueEntry[];
  /** Ends leases of reserved entries and removes these from the queue. A wrong epoch: `STORE_STALE_LEASE`. */
  settle?: readonly LeaseRef[];
  /** Removes entries whatever their state (cancelled, or their node is known dead). Unknown ids are fine. */
  withdraw?: readonly string[];
  timers?: { set?: readonly Timer[]; clear?: readonly string[] };
  projections?: readonly ProjectionWrite[];
}

export interface Committed {
  /** New version per stream appended to. */
  versions: Record<string, number>;
  /** globalSeq of the last event written, or of the journal when none was. */
  globalSeq: number;
}

export interface ReserveAgent {
  id: string;
  account: string;
}

export interface ReserveRequest {
  /** Who reserves: `host:pid:startTime` or a node id. */
  node: string;
  agents: readonly ReserveAgent[];
  /**
   * Most attempts of an account at a time over all nodes that share the store. An account not named has no limit. Leases
   * that ran out do not count; one that is extended after that counts again, even beyond the limit.
   */
  accountSlots: Readonly<Record<string, number>>;
  /**
   * The machine the attempts will run on, and the most of them it may run at a time, over all processes that share the store and name
   * the same `id`. Counted as for accounts: a lease that ran out does not, one that is extended after that does again, even beyond the
   * limit. A lease that was reserved without a machine counts for none. Absent: no such limit.
   */
  machine?:
    | {
        id: string;
        slots: number;
        /**
         * How many attempts the caller itself runs now. Its own leases are then not counted: one whose attempt is over, and whose outcome is still
         * being written, holds no slot.
         */
        busy?: number | undefined;
      }
    | undefined;
  /** At most this many now. */
  limit: number;
  /** Only entries of these runs; absent = any. */
  runs?: readonly string[];
  now: number;
  leaseMs: number;
}

export interface Reservation {
  entry: QueueEntry;
  agent: string;
  account: string;
  lease: LeaseRef;
  /** Epoch ms at which another node may take it. */
  until: number;
}

export interface HeldLease extends LeaseRef {
  holder: string;
  until: number;
  /** Set for attempts. */
  agent?: string | undefined;
  runId?: string | undefined;
  /** Whose slot it takes; set for attempts that were reserved with a machine. */
  machine?: string | undefined;
}

export type Acquired = { ok: true; lease: LeaseRef; until: number } | { ok: false; heldBy: HeldLease };

export interface QueueStats {
  queued: number;
  leased: number;
  /** Epoch ms of the oldest entry still queued. */
  oldestQueuedAt?: number | undefined;
}

export interface FollowOptions {
  after: number;
  signal: AbortSignal;
  /** False: what this very store commits wakes nobody; it comes with the next event of another process. Default true. */
  own?: boolean;
}

export interface Store {
  /** All or nothing, durable when the promise resolves. Rejects with a StoreError. */
  commit(commit: Commit): Promise<Committed>;

  /** Events of a stream with version > `after` (default 0), in order. Old schema versions are upcast. */
  read(stream: string, options?: { after?: number; limit?: number }): Promise<Recorded[]>;
  /** Events of all streams with globalSeq > `after`, in order. */
  readAll(options?: { after?: number; limit?: number; types?: readonly EventType[] }): Promise<Recorded[]>;
  /**
   * Yields the recorded events of a stream after `after`, then new ones as they are committed by this or another
   * process, until `signal` aborts. No gap, no double.
   */
  follow(stream: string, options: FollowOptions): AsyncIterable<Recorded>;
  /** The same of all streams: those with globalSeq > `after`, in that order. */
  followAll(options: FollowOptions): AsyncIterable<Recorded>;

  /**
   * Takes at most `limit` entries: priority first, then affinity, rank, age. Each is leased with a new epoch. An entry
   * whose lease has run out (`until` <= now) may be taken again. Atomic between processes. Which agent did an affinity key
   * is remembered until its run is over (a `run` projection says so).
   */
  reserve(request: ReserveRequest): Promise<Reservation[]>;
  /** Moves the end of leases; those no longer held at their epoch are answered, not thrown. */
  extend(leases: readonly LeaseRef[], until: number): Promise<{ lost: LeaseRef[] }>;
  /**
   * Takes the lease `key` when it is free, has run out, is held by `holder` already, or stands at `breakEpoch` (the
   * caller has seen that its holder is dead). Always a higher epoch than before.
   */
  acquire(request: { key: string; holder: string; until: number; now: number; breakEpoch?: number }): Promise<Acquired>;
  /** Gives a lease back; a stale one is ignored. */
  release(lease: LeaseRef): Promise<void>;
  /** Leases whose key starts with `prefix` (attempt leases: the attempt id; run leases: `run:<id>`). */
  leases(prefix: string): Promise<HeldLease[]>;
  /** `gone`: holders that are known to be dead. What they hold is queued, though its lease has not run out. */
  queueStats(runId?: string, options?: { gone?: readonly string[] }): Promise<QueueStats>;
  /** Timers due at `now`, earliest first. They stay until cleared by a commit. */
  dueTimers(now: number, limit: number): Promise<Timer[]>;

  runs(filter?: { project?: string; runId?: string; limit?: number }): Promise<RunRow[]>;
  calls(filter?: { runId?: string; attempt?: string }): Promise<CallRow[]>;
  /** What calls have cost from `since` (epoch ms) on, micro-dollars: all of them, or those of a project's runs. */
  spent(filter: { since: number; project?: string }): Promise<number>;
  /** What became of attempts, oldest first. */
  outcomes(filter?: { runId?: string; project?: string; since?: number }): Promise<OutcomeRow[]>;
  /** What waits for people, oldest first. */
  listInbox(filter?: { runId?: string }): Promise<InboxRow[]>;
  offset(key: string): Promise<number>;

  close(): Promise<void>;
}

export { StoreError, type StoreErrorCode } from "./errors.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite/open.ts";
