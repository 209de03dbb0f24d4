import {
  stillWaits,
  type AgentReport,
  type AttemptMessage,
  type AttemptPhase,
  type AttemptState,
  type BoardEntry,
  type BudgetPause,
  type Finding,
  type GateResult,
  type InboxItem,
  type RunState,
  type StepState,
  type Usage,
} from "../../domain/index.ts";
import { runFolder } from "../../engine/index.ts";
import { readLive, type LivenessItem } from "../../fleet/index.ts";
import { billOf, type Bill, type OwnWord } from "../../models/index.ts";
import type { Store } from "../../store/index.ts";
import type { DiffStat, Workspaces } from "../../workspace/index.ts";
import { readOptions } from "../../setup/run-options.ts";
import type { ShownStatus } from "../../setup/find-run.ts";
import { waitOf, type QuotaWait } from "./quota-wait.ts";

export interface AttemptReport {
  id: string;
  n: number;
  phase: AttemptPhase;
  agent?: string | undefined;
  tier: string;
  reasons: readonly string[];
  /** How long it waited for a slot. */
  queuedMs?: number | undefined;
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  commit?: string | undefined;
  mergeCommit?: string | undefined;
  gates: readonly GateResult[];
  findings: readonly Finding[];
  failure?: { kind: string; message: string } | undefined;
  interrupted?: { because: string; evidence?: string | undefined } | undefined;
  summary?: string | undefined;
  dropped?: readonly string[] | undefined;
  output?: unknown;
  usage?: Usage | undefined;
  /** The newest that its agent has told of its work. */
  report?: AgentReport;
  /** What people said to its agent. One without `deliveredAt` of an attempt that is over came too late. */
  messages?: readonly AttemptMessage[];
  /** How it is now; only of one that runs, and only where its engine tells. */
  live?: LivenessItem;
}

export interface StepReport {
  id: string;
  kind: string;
  status: string;
  because?: string | undefined;
  needs: readonly string[];
  endedAt?: number | undefined;
  attempts: AttemptReport[];
  /** The group it belongs to. */
  parent?: string | undefined;
  /** Its failure is nobody else's. */
  mayFail?: boolean | undefined;
  /** A provider's limit that it waits for, and until when, epoch ms. */
  quota?: QuotaWait;
  /** Structured output. */
  output?: unknown;
}

/** All that is known of a run, as data: `show --json`, the result line of `run --json`, and what the texts are made of. */
export interface RunReport {
  runId: string;
  pipeline: string;
  source?: string | undefined;
  project: string;
  status: ShownStatus;
  because?: string | undefined;
  base: string;
  branch: string;
  /** Absent when the branch is gone. */
  tip?: string | undefined;
  /** The branch that is checked out in its project now: what a merge would go into. */
  checkedOut?: string | undefined;
  diff?: DiffStat | undefined;
  mergedInto?: { into: string; commit: string } | undefined;
  startedAt: number;
  endedAt?: number | undefined;
  budget?: number | undefined;
  /** The budget that holds all of the run. */
  halted?: BudgetPause | undefined;
  /** All budgets that cannot carry the next call. */
  paused: readonly BudgetPause[];
  /** A group is followed by its steps. */
  steps: StepReport[];
  /** What waits for people. */
  waiting: readonly InboxItem[];
  /** Facts that agents have shared, by key. Absent: none. */
  board?: Readonly<Record<string, BoardEntry>>;
  bill: Bill;
  /** Providers that are scripted models: what they say came from a file. */
  scriptedProviders: readonly string[];
  /** Folder of the transcripts; gone when `cleaned`. */
  folder: string;
  /** `stepfall clean` removed what it left: the journal and the bill are all there is, and perhaps its branch. */
  cleaned: boolean;
}

export async function reportRun(
  state: RunState,
  sources: { store: Store; home: string; status: ShownStatus; workspaces?: Workspaces | undefined; now?: number },
): Promise<RunReport> {
  const { store, home, status, workspaces, now } = sources;
  // What nobody drives does nothing, whatever was last written of it.
  const liveOf = (a: AttemptState): LivenessItem | undefined =>
    now !== undefined && status === "running" && a.phase === "running" ? readLive(home, a.id, now) : undefined;
  const options = readOptions(home, state.runId);
  const branch = { runId: state.runId, name: state.branch };
  // A branch that was cleaned away, or a project that moved, leaves the rest of the report as it is.
  const tip = await workspaces?.tip(branch).catch(() => undefined);
  const diff = workspaces && tip ? await workspaces.diffStat(state.base, tip).catch(() => undefined) : undefined;
  return {
    runId: state.runId,
    pipeline: state.pipeline.name,
    source: state.source,
    project: state.project,
    status,
    because: state.because,
    base: state.base,
    branch: state.branch,
    tip,
    diff,
    mergedInto: state.mergedInto,
    startedAt: state.startedAt,
    endedAt: state.endedAt,
    budget: state.budget,
    halted: state.halted,
    paused: [...state.pauses.values()],
    steps: inGroups(state).map((s) => ({ ...stepReport(s, liveOf), ...shownQuota(waitOf(s, now)) })),
    waiting: [...state.inbox.values()].filter(stillWaits),
    ...(state.board.size > 0 ? { board: Object.fromEntries(state.board) } : {}),
    bill: await billOf(store, state.runId, saidIn(state)),
    scriptedProviders: options.scripted ?? [],
    folder: runFolder(home, state.runId),
    cleaned: options.cleaned !== undefined,
  };
}

/** In the order of the pipeline, the steps of a group behind it. */
function inGroups(state: RunState): StepState[] {
  const children = Map.groupBy(state.steps.values(), (s) => s.step.parent);
  const below = (parent: string | undefined): StepState[] => (children.get(parent) ?? []).flatMap((s) => [s, ...below(s.step.path)]);
  return below(undefined);
}

/** What agents say they used on their user's login, where no gateway saw it. */
export function saidIn(state: RunState): OwnWord[] {
  return [...state.steps.values()]
    .flatMap((s) => s.attempts)
    .flatMap((a) => (a.credentials === "direct" && a.usage ? [{ attempt: a.id, agent: a.agent ?? "", tier: a.tier, usage: a.usage }] : []));
}

function stepReport(s: StepState, liveOf: (a: AttemptState) => LivenessItem | undefined): StepReport {
  return {
    id: s.step.path,
    kind: s.step.kind,
    status: s.status,
    because: s.because,
    needs: s.step.needs,
    ...(s.step.parent === undefined ? {} : { parent: s.step.parent }),
    ...(s.step.mayFail ? { mayFail: true } : {}),
    ...(s.output === undefined ? {} : { output: s.output }),
    endedAt: s.endedAt,
    attempts: s.attempts.map((a) => ({
      id: a.id,
      n: a.n,
      phase: a.phase,
      agent: a.agent,
      tier: a.tier,
      reasons: a.reasons,
      queuedMs: a.queuedMs,
      startedAt: a.startedAt,
      endedAt: a.endedAt,
      commit: a.commit,
      mergeCommit: a.mergeCommit,
      gates: a.gates ?? [],
      findings: a.findings ?? [],
      failure: a.failure,
      interrupted: a.interrupted,
      summary: a.summary,
      dropped: a.dropped,
      output: a.output,
      usage: a.usage,
      ...(a.report ? { report: a.report } : {}),
      ...(a.messages ? { messages: a.messages } : {}),
      ...shownLive(liveOf(a)),
    })),
  };
}

const shownQuota = (quota: QuotaWait | undefined): { status?: string; quota?: QuotaWait } =>
  quota ? { status: "waiting_quota", quota } : {};

const shownLive = (live: LivenessItem | undefined): { live?: LivenessItem } => (live ? { live } : {});
