import type { AgentHost, Confine, Executor, KeeperHost } from "../agents/index.ts";
import type { Clock, CredentialMode, EventData, MicroUsd, PeriodLimit, Pipeline, RunEvent, RunState } from "../domain/index.ts";
import type { LivenessItem, Places, Registry } from "../fleet/index.ts";
import type { Log } from "../logs/index.ts";
import type { GatewayClient, QuotaPolicy, RoutingContext, Upstream } from "../models/index.ts";
import type { Store } from "../store/index.ts";
import type { DiskRoom, Workspaces } from "../workspace/index.ts";

/** How an agent is executed, as registered: the executor, and where its model is reached. */
export interface AgentExecution {
  executor: Executor;
  /** Whose key and login it uses. Absent: `metered`, or no model at all. */
  credentials?: CredentialMode | undefined;
  /** Absent for agents that call no model through the gateway. */
  upstreams?: readonly [Upstream, ...Upstream[]] | undefined;
  /** What is done when a provider's limit is met. Absent: it is a failure like others. */
  quota?: QuotaPolicy | undefined;
  maxOutputTokens: number;
  /** It brings a sandbox that cannot be started within ours. */
  hasOwnSandbox?: boolean;
  /** Where its user's login lies, below the user's HOME. */
  login?: readonly string[];
  /** Absolute paths in its command line. */
  programs?: readonly string[];
}

/** What is to be confined: the folders it works in and, for an agent, what it must reach. */
export interface ConfineRequest {
  folders: { tree: string; home: string; tmp: string };
  /** PATH of what runs there. */
  path: string;
  /** Absent: commands of the project, such as setup and gates. */
  agent?: {
    credentials: CredentialMode | undefined;
    gatewayPort: number | undefined;
    login: readonly string[];
    programs: readonly string[];
  };
}

/** What keeps attempts apart on a machine. */
export interface Isolation {
  /** Ports, names and variables of their own. */
  places: Places;
  /** `undefined`: no sandbox is in force. */
  confine(request: ConfineRequest): Promise<Confine | undefined>;
  /** The project's commands that undo what setup did outside the workspace. */
  teardown: readonly string[];
  /** Most that a workspace may take, bytes; `null`: no limit. */
  workspaceBytes: number | null;
  /** Whether a further attempt may start. `othersRunning`: attempts of this home, in any process. */
  room(othersRunning: number): Promise<DiskRoom>;
}

/** What routing knows for one step, and whose policy that is where a project compares two. */
export interface StepRouting extends RoutingContext {
  policyName?: string | undefined;
}

/** Limits of the settings. The run's own is in its pipeline; those of steps and attempts are recorded when a run starts. */
export interface BudgetSettings {
  fleet: readonly PeriodLimit[];
  project: readonly PeriodLimit[];
  step?: MicroUsd | undefined;
  attempt?: MicroUsd | undefined;
  /** Tiers, from the cheapest up. Absent: `free`, `mid`, `premium`. */
  tiers?: readonly string[];
}

/** Whether something may begin, asked of the user's hooks. What it answers is recorded as it is: `HookAnswered` events, of those alone that have something to say. */
export type Veto = (question: VetoQuestion, signal: AbortSignal) => Promise<EventData<"HookAnswered">[]>;

export interface VetoQuestion {
  before: "run" | "attempt" | "merge";
  /** `RunStarted`, `AttemptStarted`, `MergeIntended`: as it will be recorded when nobody refuses. */
  event: RunEvent;
  /** The run as it is; at its start as it will be. */
  state: RunState;
  step?: string;
  attempt?: string;
}

export interface EngineDeps {
  store: Store;
  clock: Clock;
  /** $STEPFALL_HOME. */
  home: string;
  /** Who this process is, in leases (see fleet/holder.ts). */
  node: string;
  registry: Registry<AgentExecution>;
  /** How the next attempt at a step of a run is routed. */
  routing: (runId: string, step: string) => StepRouting;
  /** What the settings let be spent. Absent: nothing limits it but what pipelines say. */
  budgets?: BudgetSettings;
  /** For setup, gates, and everything else that is simply done again. */
  host: AgentHost;
  /** For agents: they outlive this process. Absent: they end with it. */
  keepers?: KeeperHost;
  /** Absent: attempts share ports and files of the machine as any processes of the user do. */
  isolation?: Isolation;
  /** Connects when the first metered attempt starts. */
  gateway: () => Promise<GatewayClient>;
  /** Attempts at once in this process. */
  slots: number;
  /** How long a lease holds without being extended. Default 30 s. */
  leaseMs?: number;
  /** What attempts inherit of the environment: PATH, LANG and the like, and dependency caches. No secrets. */
  baseEnv: Readonly<Record<string, string>>;
  /** Project-wide protected globs and setup commands, from stepfall.yaml at the base commit. */
  protected: readonly string[];
  setup: readonly string[];
  /** The user's own HOME, for agents that run on the user's login. */
  userHome?: string;
  /** A secret by its name, for `${{ secrets.NAME }}` in a step's `env`. Absent: there are none. */
  secret?: (name: string) => string | undefined;
  /** Replaces every known secret in a text. */
  mask: (text: string) => string;
  /** Asked before a run, an attempt and a merge begin. Absent: nobody may refuse them. */
  veto?: Veto;
  /** Value of TRACEPARENT for the agent of an attempt (W3C trace context), where its calls are metered. Absent: nothing is traced. */
  traceparent?: (runId: string, attempt: string) => string;
  /** Keep workspaces after their attempts. */
  keepWorkspaces?: boolean;
  /** True when the holder of a lease is known to be dead. */
  isDead: (holder: string) => boolean;
  /** Whether a lease's holder lives and is stopped: no sign of it is waited for. Absent: not known. */
  isHalted?: (holder: string) => boolean;
  onFeed?: (item: Feed) => void;
  /** What is said beside the journal: leases that are lost, work that is taken up, a store that was busy. Absent: nothing. */
  log?: Log;
}

/** What happens, as it happens: for live views. Events come after they are durable. */
export type Feed =
  | { kind: "event"; at: number; version: number; event: RunEvent }
  | {
      kind: "progress";
      at: number;
      attempt: string;
      step: string;
      text: string;
      /** Something went wrong that changes no outcome: said to people wherever they look, not only as long as nothing newer comes. */
      isNotice?: true;
    }
  | LivenessItem;

export interface StartRequest {
  runId: string;
  pipeline: Pipeline;
  workspaces: Workspaces;
  /** Top folder of the project. */
  project: string;
  base: string;
  source?: string;
  includeDirty: boolean;
  actor: string;
  /** Values of the pipeline's inputs, as `resolveInputs` answered them. */
  inputs?: Readonly<Record<string, unknown>>;
  /** The task of a benchmark that it is a run of. */
  workload?: NonNullable<EventData<"RunStarted">["workload"]>;
  /** Ends the wait for hooks that are asked whether it may start. */
  signal?: AbortSignal;
}

export type DriveEnd =
  | { kind: "finished"; outcome: "succeeded" | "failed" | "cancelled" }
  /** `id`: the account, see budgets.ts in domain. */
  | { kind: "budget"; id: string; limit: MicroUsd; spent: MicroUsd }
  /** Only people are waited for. */
  | { kind: "people"; items: readonly string[] }
  /** Asked to stop; the run can be resumed. */
  | { kind: "stopped" }
  /** Another process drives it now. */
  | { kind: "taken-over" };

export interface DriveOptions {
  workspaces: Workspaces;
  /** In whose name a run goes on that was begun before; recorded once it is driven. `by`: for people. */
  resumed?: { actor: string; by: string };
  /** Start nothing new, let attempts end. */
  drain?: AbortSignal;
  /** Stop now: running attempts are ended and recorded as interrupted. */
  stop?: AbortSignal;
  /** Go on waiting when only people are waited for, instead of ending with `people`. */
  waitForPeople?: boolean;
  /** The same where only spent budgets are waited for, instead of ending with `budget`. */
  waitForBudget?: boolean;
}

export interface Engine {
  /** Preflight is the caller's. Writes RunStarted and the run branch; drives nothing. */
  start(request: StartRequest): Promise<void>;
  /**
   * Drives a run to its end, from wherever it stands: takes the run's lease, ends what a dead driver left, decides, dispatches.
   * Rejects with RUN_DRIVEN when a living process drives it.
   */
  drive(runId: string, options: DriveOptions): Promise<DriveEnd>;
  /** A run of so many steps is about to be driven: what agents need is made ready meanwhile. */
  prepare(steps: number): void;
  /** The run as its journal says. */
  load(runId: string): Promise<RunState>;
}
