import type { Recorded, RunState } from "../domain/index.ts";
import type { SentMessage } from "../engine/index.ts";
import type { LivenessItem } from "../fleet/index.ts";
import type { Bill, Dimension, GateQuality, GateReport, ProviderState, View } from "../models/index.ts";
import type { ShownStatus } from "../setup/find-run.ts";
import type { InboxRow } from "../store/index.ts";
import type { QueueDepth } from "./looking/queue-depth.ts";
import type { LogLine } from "./looking/transcripts.ts";
import type { RunReport } from "./looking/report.ts";
import type { ToldSavings } from "./ledger/savings.ts";
import type { ShownSettings } from "./looking/settings.ts";
import type { RunSummary } from "./looking/summary.ts";

/** Who asks, for the journal: `cli:anna`, `web:anna`, `mcp:claude-code`. */
export type Actor = string;

/** How a process that drives a run is begun: detached, so that it outlives whoever asked. */
export interface Launcher {
  /**
   * Starts `stepfall ...words` in `cwd`. `output`: a file that gets its standard output, which is NDJSON; standard error goes to a file beside it.
   * `actor`: in whose name it acts. Answers once the process runs.
   */
  launch(words: readonly string[], at: { cwd: string; output: string; actor: Actor }): Promise<{ pid: number; ended: Promise<number> }>;
}

export interface StartRun {
  /** A folder in the project. */
  project: string;
  /** `file`: a path in the project. */
  pipeline: { file: string } | { yaml: string };
  inputs?: Readonly<Record<string, string>>;
  /** USD. */
  budget?: number;
  includeDirty?: boolean;
}

/** As `stepfall do`. */
export interface DoTasks {
  project: string;
  tasks: readonly [string, ...string[]];
  /** Commands that decide whether work is accepted, instead of those found in the project. */
  gates?: readonly string[];
  /** Accept any change. */
  noGates?: boolean;
  agent?: string;
  budget?: number;
}

/** An inbox row, with how many steps wait for its answer. Those that unblock most come first, then the oldest. */
export interface InboxEntry extends InboxRow {
  unblocks: number;
  waitedMs: number;
  project: string;
  pipeline: string;
}

export interface Answered {
  runId: string;
  item: string;
  /** How many more must approve. */
  stillNeeded: number;
  /** Whether a process drives the run, or is being started for it: that takes as long as its agents take to start. */
  driven: boolean;
}

export interface LogPage {
  lines: readonly LogLine[];
  /** For `after` of the next call. */
  next: string;
  /** The run is over: nothing more will come. */
  isOver: boolean;
}

export interface DiffPage {
  /** Unified. */
  text: string;
  files: readonly { path: string; added: number; removed: number; binary: boolean }[];
  isTruncated: boolean;
}

/** What the agent of an attempt was told. Masked. */
export interface PromptPage {
  text: string;
  /** Longer than 1 MB: its beginning. */
  isTruncated: boolean;
  /** `transcript`: as it was handed over. `journal`: put together again from the journal by the same rules, since the transcript does not have it. */
  source: "transcript" | "journal";
}

/** Where the result of a run is now. */
export interface Merged {
  runId: string;
  /** The user's branch. */
  into: string;
  commit: string;
  /** It was there before: nothing was done. */
  already: boolean;
}

/** Runs, newest first. */
export interface RunsWanted {
  project?: string;
  status?: ShownStatus;
  /** Default 100. */
  limit?: number;
  /** Only those that were started before this one. */
  before?: string;
}

export interface KnownProject {
  /** Its top folder. */
  path: string;
  name: string;
}

export interface Overview {
  /** The newest 100, and older ones that are not over. */
  runs: RunSummary[];
  /** How much waits for people. */
  waiting: number;
  /** Since midnight where the machine stands, micro-dollars. */
  spentToday: number;
  queue: QueueDepth;
  /** Attempts that run on this machine, and how many may. */
  slots: { busy: number; total: number };
  projects: KnownProject[];
  providers: readonly ProviderState[];
}

export interface AgentRow {
  id: string;
  tier: string;
  executor: string;
  /** `provider/model`. */
  model?: string | undefined;
  account: string;
  /** Most attempts of its account at a time; absent: no limit of its own. */
  slots?: number | undefined;
  /** Attempts of it that run. */
  busy: number;
  capabilities: readonly string[];
  providerState?: ProviderState | undefined;
}

/** An attempt that somebody has a lease on. */
export interface LiveAttempt {
  attempt: string;
  runId: string;
  agent?: string | undefined;
  lease: { holder: string; epoch: number; until: number; isGone: boolean };
  /** How it is, where its engine tells. */
  live?: LivenessItem;
}

export interface AgentsView {
  /** Of which settings: a project's, or the user's own. */
  project?: string;
  agents: AgentRow[];
  attempts: LiveAttempt[];
  queue: QueueDepth;
  slots: { busy: number; total: number };
  /** Why the settings could not be read. */
  problem?: string;
}

/** Which part of the ledger. */
export interface LedgerPart {
  project?: string;
  /** Epoch ms. */
  since?: number;
}

/** As `cost --by --json`. */
export interface CostView extends View, LedgerPart {
  runs: number;
  timeZone: string;
  savings: ToldSavings;
  /** Why the settings could not be read, so that prices are those of the ledger. */
  problem?: string;
}

/** As `gates --json`. */
export interface GatesView extends LedgerPart {
  runs: number;
  gates: readonly GateReport[];
  together: GateQuality;
}

/** Where a wait ended. */
export type Waited =
  | { kind: "over"; outcome: "succeeded" | "failed" | "cancelled" }
  /** Only people are waited for. */
  | { kind: "waiting"; items: readonly InboxEntry[] }
  /** Nobody drives it, and nobody could be had. */
  | { kind: "stopped" }
  | { kind: "timeout" };

/**
 * Looking at the runs of a home and steering them: what the command line, the HTTP API and MCP have in common. Everything a person does is an
 * event with its actor. Texts are masked. Errors are RequestErrors: a code, a sentence, what to do.
 */
export interface Control extends AsyncDisposable {
  overview(): Promise<Overview>;
  projects(): Promise<KnownProject[]>;
  runs(filter?: RunsWanted): Promise<RunSummary[]>;
  /** `given`: an id, or the beginning or end of one that only one run has. */
  run(given: string): Promise<RunReport & { queue: { run: QueueDepth; all: QueueDepth } }>;
  /** The run, or one phase of it, in Markdown: see `stepfall report`. */
  report(runId: string, phase?: string): Promise<string>;
  state(runId: string): Promise<RunState>;
  events(runId: string, page?: { after?: number; limit?: number }): Promise<Recorded[]>;
  /** globalSeq of the last event of all. */
  lastSeq(): Promise<number>;
  /** Events of all streams after `after`, then new ones as they are committed, by whatever process; no gap, no double. */
  follow(after: number, signal: AbortSignal): AsyncIterable<Recorded>;
  /** How running attempts are, whenever that changes; each once to begin with. */
  live(signal: AbortSignal): AsyncIterable<LivenessItem>;
  logs(runId: string, page?: { step?: string; attempt?: string; role?: string; after?: string; limit?: number }): Promise<LogPage>;
  /** What an attempt, a step or the run changed; the text of one file of it where `file` names one. At most `maxBytes` (default 1 MB) of text. */
  diff(runId: string, of?: { attempt?: string; step?: string; file?: string; maxBytes?: number }): Promise<DiffPage>;
  /** What the agent of an attempt was really told. Rejects with ATTEMPT_UNKNOWN, and with NO_PROMPT where no agent was told anything. */
  prompt(runId: string, attempt: string): Promise<PromptPage>;
  inbox(): Promise<InboxEntry[]>;
  bill(runId: string): Promise<Bill>;
  /** The ledger summed up: see `stepfall cost --by`. `since`: epoch ms. */
  cost(by: Dimension, filter?: LedgerPart): Promise<CostView>;
  gates(filter?: LedgerPart): Promise<GatesView>;
  /** Agents of a project, or of the user's own settings; attempts and queue are those of the home. */
  agents(project?: string): Promise<AgentsView>;
  /** What is set, and where; without secrets. */
  settings(project?: string): Promise<ShownSettings>;
  /** As `doctor --json`, of a process of its own: agents are really started, which takes a while. */
  doctor(project?: string): Promise<unknown>;

  /** A process of its own drives it. Resolves when its journal has begun; rejects with what refused it. */
  start(actor: Actor, request: StartRun): Promise<{ runId: string }>;
  doTasks(actor: Actor, request: DoTasks): Promise<{ runId: string }>;
  /** As `stepfall demo --approve`, in this home: a sample project in a temporary folder, a scripted model, and a question in the middle. */
  sample(actor: Actor): Promise<{ runId: string }>;
  /** Until it is over or waits for people, at most `timeoutMs`. */
  wait(runId: string, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Waited>;
  /** Also starts a process for the run when none drives it any more. */
  answer(actor: Actor, item: string, said: { verdict: "approve" | "reject" | "rework" | "answer"; text?: string }): Promise<Answered>;
  cancel(actor: Actor, runId: string, reason?: string): Promise<{ runId: string; outcome?: "succeeded" | "failed" | "cancelled" }>;
  /**
   * Runs whose driver died without a word, each death named once, a few an hour: for whoever has them driven again. Those that a budget or a cancel stopped, or that were
   * interrupted, are none of them.
   */
  abandoned(): Promise<RunSummary[]>;
  /** Has a process drive it again. `budget`: a new limit of the run, USD. */
  resume(actor: Actor, runId: string, change?: { budget?: number }): Promise<{ runId: string }>;
  feedback(
    actor: Actor,
    runId: string,
    about: { step: string; attempt?: number; verdict: "right" | "wrong"; because?: string },
  ): Promise<{ attempt: string; gates: "accepted" | "refused" }>;
  /** Says something to the agent that works on a step. Rejects with MESSAGE_REFUSED where none does, or it takes no messages. */
  message(actor: Actor, runId: string, said: { step: string; text: string }): Promise<SentMessage>;
  reassign(actor: Actor, runId: string, change: { step: string; agent?: string; because?: string }): Promise<void>;
  /**
   * As `stepfall merge`: brings the run's result into what is checked out in its project, with the user's own hooks. `partial`: also of a run that
   * failed or is not over. What stands in its way is told with the files it is about, and nothing is changed.
   */
  merge(actor: Actor, runId: string, options?: { partial?: boolean }): Promise<Merged>;
  /** As `stepfall run --again`: a new run of the same pipeline with the same inputs, from the project's commit now. */
  again(actor: Actor, runId: string): Promise<{ runId: string }>;
}
