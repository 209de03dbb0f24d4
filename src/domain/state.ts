import { attemptId, type AttemptId } from "./ids.ts";
import type { EventData, FailureKind, Finding, Usage } from "./events.ts";
import type { Pipeline, Step } from "./pipeline.ts";

/**
 * State of a run: a fold over its stream (fold.ts), and nothing else. Beside the facts it keeps small indexes (`ready`, `accepted`, ...) so that `decide` costs
 * what has changed and not what exists.
 */

export type AttemptPhase =
  | "queued"
  | "running"
  | "accepted" // judged, waiting for its merge (or for completion when it changed nothing)
  | "merging" // MergeIntended is written
  | "merged"
  | "rejected"
  | "failed"
  | "interrupted"
  | "refused"; // by the merge queue

export interface AttemptState {
  id: AttemptId;
  step: string;
  n: number;
  phase: AttemptPhase;
  tier: string;
  candidates: readonly string[];
  reasons: readonly string[];
  agent?: string;
  node?: string;
  epoch?: number;
  /** How long it waited for a slot. */
  queuedMs?: number;
  from?: string;
  /** The judged commit. */
  commit?: string;
  mergeOnto?: string;
  mergeCommit?: string;
  findings?: readonly Finding[];
  failure?: { kind: FailureKind; message: string };
  interrupted?: { because: string; evidence?: string | undefined };
  output?: unknown;
  summary?: string;
  dropped?: readonly string[];
  gates?: EventData<"AttemptAccepted">["gates"];
  usage?: Usage;
  routedAt: number;
  startedAt?: number;
  endedAt?: number;
}

export type StepStatus = "waiting" | "ready" | "active" | "completed" | "failed" | "skipped" | "cancelled";

export interface StepState {
  step: Step;
  status: StepStatus;
  /** Needs not completed yet. */
  missing: number;
  /** Attempts that count against `retry.attempts`: interrupted ones and budget stops do not. */
  tries: number;
  /** How often the merge queue refused its work: bounded apart from `tries`, since the work itself was good. */
  refusals: number;
  attempts: AttemptState[];
  /** Findings for the next attempt. */
  feedback: readonly Finding[];
  /** Epoch ms before which no further attempt starts. */
  notBefore: number;
  /** Steps on the longest path from here to an end, itself included. */
  rank: number;
  dependents: string[];
  because?: string;
  /** Its own budget is spent. */
  budgetSpent?: { limit: number; spent: number };
  endedAt?: number;
}

export type RunStatus = "empty" | "running" | "finished";

export interface RunState {
  runId: string;
  status: RunStatus;
  outcome?: "succeeded" | "failed" | "cancelled";
  because?: string;
  /** Version of the last event applied. */
  version: number;
  pipeline: Pipeline;
  project: string;
  base: string;
  branch: string;
  agents: EventData<"RunStarted">["agents"];
  source?: string | undefined;
  startedAt: number;
  endedAt?: number;
  cancel?: { reason?: string | undefined };
  /** A run budget stopped it. */
  halted?: { limit: number; spent: number };
  /** The run's limit now: raised ones replace the pipeline's. */
  budget?: number | undefined;
  stepBudgets: Map<string, number>;
  mergedInto?: { into: string; commit: string };
  steps: Map<string, StepState>;
  /** Steps that are not over. */
  open: number;
  // Indexes, each holding step paths.
  ready: Set<string>;
  queued: Set<string>;
  running: Set<string>;
  accepted: Set<string>;
  merged: Set<string>;
  /** Waiting steps one of whose needs ended without being completed. */
  doomed: Set<string>;
}

export function emptyRun(): RunState {
  return {
    runId: "",
    status: "empty",
    version: 0,
    pipeline: { name: "", steps: [] },
    project: "",
    base: "",
    branch: "",
    agents: [],
    startedAt: 0,
    stepBudgets: new Map(),
    steps: new Map(),
    open: 0,
    ready: new Set(),
    queued: new Set(),
    running: new Set(),
    accepted: new Set(),
    merged: new Set(),
    doomed: new Set(),
  };
}

/** The attempt a step is at, if it has one. */
export const currentAttempt = (step: StepState): AttemptState | undefined => step.attempts.at(-1);

/** The id the step's next attempt will have. */
export const nextAttempt = (runId: string, step: StepState): { id: AttemptId; n: number } => {
  const n = (step.attempts.at(-1)?.n ?? 0) + 1;
  return { id: attemptId(runId, step.step.path, n), n };
};
