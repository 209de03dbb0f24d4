import { attemptId, type AttemptId } from "./ids.ts";
import type { BudgetScope, CredentialMode, EventData, FailureKind, Finding, Usage } from "./events.ts";
import type { MicroUsd } from "./money.ts";
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
  /** Of the lease under which its agent was started; another engine may hold a later one by now. */
  startEpoch?: number;
  /** How long it waited for a slot. */
  queuedMs?: number;
  /** Absent: metered, or no model at all. */
  credentials?: CredentialMode;
  from?: string;
  /** The judged commit. */
  commit?: string;
  mergeOnto?: string;
  mergeCommit?: string;
  findings?: readonly Finding[];
  failure?: { kind: FailureKind; message: string; quota?: EventData<"AttemptFailed">["quota"] };
  interrupted?: { because: string; evidence?: string | undefined };
  output?: unknown;
  summary?: string;
  dropped?: readonly string[];
  gates?: EventData<"AttemptAccepted">["gates"];
  usage?: Usage;
  /** What people said to its agent, in order. Absent: nothing. */
  messages?: AttemptMessage[];
  /** The newest that its agent has told of its work. */
  report?: AgentReport;
  /** What its agent has asked of the run, as far as it is recorded. */
  requests?: RecordedRequests;
  /** It goes on with an earlier attempt's session, in that one's folder. */
  resumes?: { session: string; folder: AttemptId };
  /** A person gave the step to another agent while this one had it. */
  reassigned?: string;
  routedAt: number;
  startedAt?: number;
  endedAt?: number;
}

/** What a person said to the agent of a running attempt. */
export interface AttemptMessage {
  /** From 1 on. */
  n: number;
  text: string;
  by: string;
  at: number;
  /** When it was seen to have reached the agent. Absent of an attempt that is over: it ended first. */
  deliveredAt?: number;
}

/** A fact on a run's blackboard. */
export interface BoardEntry {
  value: unknown;
  /** How often the key was written. */
  version: number;
  at: number;
  /** Who wrote it last. */
  attempt: string;
  step: string;
}

/** The newest that an agent has told of its work. */
export interface AgentReport {
  text: string;
  percent?: number;
  phase?: string;
  at: number;
}

/** What is known of an attempt's requests that are recorded. */
export interface RecordedRequests {
  reports: number;
  puts: number;
  /** By request id; of a put the version it wrote, of a report 0. */
  ids: Map<string, number>;
}

/** What is left of an attempt whose agent can go on with its conversation. */
export interface KeptSession {
  agent: string;
  session: string;
  /** The commit its files are based on. */
  from: string;
  /** The attempt after which its folder is named. */
  folder: AttemptId;
}

export type StepStatus = "waiting" | "ready" | "active" | "completed" | "failed" | "skipped" | "cancelled";

/** Something that waits for people. */
export interface InboxItem extends EventData<"InboxOpened"> {
  openedAt: number;
  /** Those that count: in time, by somebody who was asked, the last word of each. */
  answers: { by: string; verdict: EventData<"InboxAnswered">["verdict"]; text?: string | undefined; at: number }[];
}

/** How far a group is. */
export interface GroupState {
  round: number;
  /** Of this round, in order. */
  children: readonly string[];
  /** Children that are not over. */
  open: number;
  /** The first child whose failure is the group's. */
  failed?: string;
  /** Of a best-of step: the attempt that is to be merged, or was. */
  picked?: string;
  /** How often one was picked: again when the merge queue refuses it. */
  picks?: number;
}

/** A budget that cannot carry the next call. */
export interface BudgetPause {
  /** The account, see budgets.ts. */
  id: string;
  scope: BudgetScope;
  /** The paused step or group; where all of the run is paused, the step that found it out. */
  step: string;
  limit: MicroUsd;
  spent: MicroUsd;
  /** What the next call would have reserved, as far as somebody said. */
  needed?: MicroUsd;
  /** When the limit's period ends, epoch ms. */
  until?: number;
  /** What waits in the inbox for it. */
  item?: string;
}

export interface StepState {
  /** As it is carried out: once resolved, with its values filled in. */
  step: Step;
  /** As the pipeline says it. */
  declared: Step;
  status: StepStatus;
  /** Its condition and its texts were evaluated, or there are none. */
  isResolved: boolean;
  /** Needs that do not let it run yet. */
  missing: number;
  /** One of its needs failed; matters to steps that run on failure. */
  needFailed: boolean;
  group?: GroupState;
  /** The inbox item it waits for. */
  item?: string;
  /** How many inbox items it has opened, its attempts' too. */
  items: number;
  /** Structured output, once completed. */
  output?: unknown;
  /** Skipped since it was not to run: no failure. */
  isUnneeded?: boolean;
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
  /** A conversation that the next attempt can take up, if the same agent gets it. */
  session?: KeptSession;
  /** To whom a person gave it. */
  assigned?: { agent?: string; not: readonly string[] };
  /** The tier that a stuck attempt was at: the next one goes to a higher. */
  above?: string;
  /** How many tries in a row it had at the tier it is at, that a gate, a person or its own agent called no good. */
  reached?: { tier: string; tries: number };
  /** The tier that must not be reached: a person chose a cheaper one. */
  below?: string;
  /** The account that pauses it, its own or its attempts'. */
  paused?: string;
  /** What each further attempt may spend, where a person has raised it. */
  attemptBudget?: number;
  /** Its own budget is spent, and a person has said that it ends there. */
  budgetSpent?: { limit: number; spent: number; by?: string };
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
  /** `refused`: a hook refused it before it began, so that nothing of it runs, whatever it says of itself. */
  cancel?: { reason?: string | undefined; refused?: true };
  /** Budgets that cannot carry the next call, by account. */
  pauses: Map<string, BudgetPause>;
  /** The first of them that holds all of the run. */
  halted?: BudgetPause;
  /** The run's limit now: raised ones replace the pipeline's. */
  budget?: number | undefined;
  stepBudgets: Map<string, number>;
  /** Limits of the fleet and of the project that people raised, by account and the limit before, as far as this run's stream tells. */
  raisedBudgets: Map<string, number>;
  /** What the settings let each step and each attempt spend. */
  budgets: { step?: number | undefined; attempt?: number | undefined };
  /** Tiers, from the cheapest up. */
  tiers: readonly string[];
  /** The task of a benchmark that it is a run of. */
  workload?: EventData<"RunStarted">["workload"];
  /** Values of the pipeline's inputs. */
  inputs: Readonly<Record<string, unknown>>;
  /** The same for nested pipelines, by the `scope` of their steps. */
  scopes: Map<string, Readonly<Record<string, unknown>>>;
  /** What waits for people, by item. */
  inbox: Map<string, InboxItem>;
  /** How long it did nothing but wait for people, up to `waitsForPeopleSince` or the last event. */
  waitedForPeopleMs: number;
  /** It does nothing else since then, epoch ms. */
  waitsForPeopleSince?: number;
  /** Facts that agents have shared, by key. */
  board: Map<string, BoardEntry>;
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
  /** Waiting steps that will not run, by how their needs ended. */
  doomed: Set<string>;
  /** Approvals and questions that are open. */
  asking: Set<string>;
  /** Groups whose children are all over. */
  concluding: Set<string>;
  /** Groups that stop what is left of their children. */
  failing: Set<string>;
  /** Best-of steps that have their candidates. */
  bestOf: Set<string>;
  /** Steps whose attempt is to end since a person gave them to another agent. */
  reassigned: Set<string>;
}

/** From the cheapest up, where the project names no others. */
const TIERS = ["free", "mid", "premium"];

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
    pauses: new Map(),
    stepBudgets: new Map(),
    raisedBudgets: new Map(),
    budgets: {},
    tiers: TIERS,
    inputs: {},
    scopes: new Map(),
    inbox: new Map(),
    waitedForPeopleMs: 0,
    board: new Map(),
    steps: new Map(),
    open: 0,
    ready: new Set(),
    queued: new Set(),
    running: new Set(),
    accepted: new Set(),
    merged: new Set(),
    doomed: new Set(),
    asking: new Set(),
    concluding: new Set(),
    failing: new Set(),
    bestOf: new Set(),
    reassigned: new Set(),
  };
}

/** The attempt a step is at, if it has one. */
export const currentAttempt = (step: StepState): AttemptState | undefined => step.attempts.at(-1);

/** The id the step's next attempt will have. */
export const nextAttempt = (runId: string, step: StepState): { id: AttemptId; n: number } => {
  const n = (step.attempts.at(-1)?.n ?? 0) + 1;
  return { id: attemptId(runId, step.step.path, n), n };
};
