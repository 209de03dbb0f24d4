import type { StoreErrorCode } from "../errors.ts";
import type {
  Acquired,
  CallRow,
  Committed,
  HeldLease,
  InboxRow,
  OutcomeRow,
  LeaseRef,
  ProjectionWrite,
  QueueEntry,
  QueueStats,
  Reservation,
  ReserveRequest,
  RunRow,
  Timer,
} from "../index.ts";

/** What the calling side and the worker thread say to each other. */

export type Column = string | number | null;

export interface PackedAppend {
  stream: string;
  expected: number;
  /** Flat, `EVENT_WIDTH` columns an event: type, schema version, at, actor, cause, data as JSON. */
  events: readonly Column[];
}
export const EVENT_WIDTH = 6;

export interface PackedCommit {
  appends: readonly PackedAppend[];
  fence: readonly LeaseRef[];
  enqueue: readonly QueueEntry[];
  settle: readonly LeaseRef[];
  withdraw: readonly string[];
  setTimers: readonly Timer[];
  clearTimers: readonly string[];
  projections: readonly ProjectionWrite[];
}

/** global_seq, stream, version, schema version, at, actor, cause, type, data as JSON. */
export type EventRow = [number, string, number, number, number, string, string | null, string, string];

export interface AcquireRequest {
  key: string;
  holder: string;
  until: number;
  now: number;
  breakEpoch?: number | undefined;
}

/** Requests that write: taken together in one transaction, each in a savepoint of its own. */
export type Write =
  | { kind: "commit"; commit: PackedCommit }
  | { kind: "reserve"; request: ReserveRequest }
  | { kind: "extend"; leases: readonly LeaseRef[]; until: number }
  | { kind: "acquire"; request: AcquireRequest }
  | { kind: "release"; lease: LeaseRef };

/** Requests that only read: answered after the transaction of their batch is durable. */
export type Read =
  | { kind: "read"; stream: string; after: number; limit: number }
  | { kind: "readAll"; after: number; limit: number; types: readonly string[] | undefined }
  | { kind: "leases"; prefix: string }
  | { kind: "queueStats"; runId: string | undefined; now: number; gone: readonly string[] }
  | { kind: "dueTimers"; now: number; limit: number }
  | { kind: "runs"; project: string | undefined; runId: string | undefined; limit: number }
  | { kind: "calls"; runId: string | undefined; attempt: string | undefined }
  | { kind: "outcomes"; runId: string | undefined; project: string | undefined; since: number | undefined }
  | { kind: "spent"; since: number; project: string | undefined }
  | { kind: "listInbox"; runId: string | undefined }
  | { kind: "offset"; key: string };

export type Request = Write | Read;

export interface Answers {
  commit: Committed;
  reserve: Reservation[];
  extend: { lost: LeaseRef[] };
  acquire: Acquired;
  release: null;
  read: EventRow[];
  /** `scanned`: every event up to here was looked at; `end`: there was nothing beyond it. */
  readAll: { rows: EventRow[]; scanned: number; end: boolean };
  leases: HeldLease[];
  queueStats: QueueStats;
  dueTimers: Timer[];
  runs: RunRow[];
  calls: CallRow[];
  outcomes: OutcomeRow[];
  spent: number;
  listInbox: InboxRow[];
  offset: number;
}

export interface Refusal {
  code: StoreErrorCode;
  message: string;
  hint: string;
}

export type Outcome = { ok: true; value: Answers[keyof Answers] } | { ok: false; refusal: Refusal };

export interface WorkerSettings {
  file: string;
  busyTimeoutMs: number;
  pollMs: number;
}

export type ToWorker =
  | { kind: "batch"; requests: readonly Request[] }
  /** While on, commits of other processes are looked for. */
  | { kind: "watch"; on: boolean }
  | { kind: "close" };

export type FromWorker =
  | { kind: "opened" }
  | { kind: "refused"; refusal: Refusal }
  /** One outcome per request of the batch, in its order. */
  | { kind: "outcomes"; outcomes: readonly Outcome[] }
  /** Another process appended to these streams. */
  | { kind: "appended"; streams: readonly string[] }
  /** The watch could not look; the followers are told. */
  | { kind: "blind"; refusal: Refusal }
  | { kind: "closed" };
