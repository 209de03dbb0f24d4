import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError, type ExecutionResult, type Messages, type PermissionAnswer, type PermissionRequest } from "../agents/index.ts";
import { budgetName, type Finding, type RunEvent, type RunState, type Usage, type WorkStep } from "../domain/index.ts";
import { freeDisk, watchSize, WorkspaceError, workspaceFull, type Workspace, type Workspaces } from "../workspace/index.ts";
import { AGENT_PLACE, PlacesError, type FinishedAttempt } from "../fleet/index.ts";
import type { AgentRequests } from "./agent-requests.ts";
import { exhaustedEvent } from "./budgets.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";
import { describeSetup, Ground, missingSecrets, type Preparation } from "./ground.ts";
import { judgeAttempt } from "./judge-attempt.ts";
import { EndedFor, Outcome, type Exhausted, type QuotaEnd } from "./outcome.ts";
import { transcriptPath } from "./paths.ts";
import type { AttemptQuestion } from "./permissions.ts";
import { runAgent, type AgentEnd } from "./run-agent.ts";
import type { Watches } from "./watch.ts";
import { whenStuck } from "./when-stuck.ts";

export interface AttemptSignals {
  /** Ends the attempt, its processes too. */
  signal: AbortSignal;
  /** Fires before `signal` when the attempt is somebody else's by now: its processes, files and key are left as they are. */
  letGo: AbortSignal;
}

/** One attempt, from its reservation on. */
export interface AttemptWork extends AttemptSignals {
  attempt: string;
  step: WorkStep;
  agent: string;
  tier: string;
  execution: AgentExecution;
  feedback: readonly Finding[];
  /** Tip of the run branch the attempt starts from. */
  from: string;
  state: Pick<RunState, "runId" | "pipeline" | "project" | "base" | "budget" | "budgets" | "stepBudgets" | "steps">;
  workspaces: Workspaces;
  /** An earlier attempt's conversation that its agent takes up, in that one's workspace. */
  session?: { id: string; folder: string; workspace: Workspace };
  /** It was under way when its engine was lost: the workspace its agent works in, or has worked in. */
  takenUp?: Workspace;
  /** Of its lease. */
  epoch: number;
  /** Of the lease under which its agent was started: its key goes by it. */
  startEpoch: number;
  /** Gives back what was set aside for it, where its key has not taken that over. */
  releaseMoney?: () => Promise<void>;
  /** Decides what its agent asks leave for. */
  permit: (step: WorkStep, attempt: string, request: PermissionRequest, signal: AbortSignal) => Promise<PermissionAnswer>;
  /** What people say to its agent. */
  messages: Messages;
  /** Answers what its agent asks of the run. */
  requests: AgentRequests;
  /** Asks people something about the attempt; `undefined` when it is over before they answer. */
  ask: (step: WorkStep, attempt: string, question: AttemptQuestion, signal: AbortSignal) => Promise<string | undefined>;
  /** Attempts that came to their end before, of this run and of earlier ones, to compare with. */
  finished: () => readonly FinishedAttempt[];
}

/** How an attempt went. */
export interface CarriedOut {
  /** Whatever happened inside ends up here as one of them. */
  events: RunEvent[];
  /**
   * Removes its workspace. For later, when the events are durable: an engine that dies before they are is followed by one that goes on with the
   * same files. Never rejects.
   */
  cleanUp(): Promise<void>;
}

export async function carryOut(deps: EngineDeps, work: AttemptWork, watches: Watches): Promise<CarriedOut> {
  const attempt = new AttemptRun(deps, work, watches);
  return { events: await eventsOf(deps, work, attempt), cleanUp: () => attempt.cleanUp() };
}

async function eventsOf(deps: EngineDeps, work: AttemptWork, attempt: AttemptRun): Promise<RunEvent[]> {
  const outcome = new Outcome(deps, work);
  const diskFull = async (told: { evidence: string; usage?: Usage | undefined }): Promise<RunEvent[]> => {
    // It may be this workspace that fills the disk: the journal needs some room to say so.
    await attempt.cleanUp();
    return [uncounted(work, outcome, { because: diskWasFull, ...told })];
  };
  try {
    const events = await attempt.run();
    const last = events.at(-1);
    if (last?.type !== "AttemptFailed" && last?.type !== "AttemptRejected") return events;
    if (work.signal.aborted || !(await isDiskFull(deps.home))) return events;
    return await diskFull({ evidence: toldBy(last), usage: last.data.usage });
  } catch (error) {
    if (work.signal.aborted) return [outcome.interrupted()];
    const said = error instanceof Error ? deps.mask(error.message) : String(error);
    if (error instanceof AgentError && error.code === "AGENT_KEEPER_LOST")
      return [uncounted(work, outcome, { because: "its keeper was killed", evidence: said })];
    if ((error instanceof AgentError && error.code === "AGENT_DISK_FULL") || (await isDiskFull(deps.home)))
      return diskFull({ evidence: said });
    const known = error instanceof WorkspaceError || error instanceof AgentError || error instanceof PlacesError;
    const message = known ? `${error.message} ${error.hint}` : `internal error: ${error instanceof Error ? error.message : String(error)}`;
    const isItsDoing = error instanceof WorkspaceError && error.code === "WORKSPACE_GONE";
    return [outcome.failed(isItsDoing ? "agent" : "internal", message)];
  }
}

const diskWasFull = "the disk of Stepfall's folder was full";
/** With less than this free nothing that fails says anything of the agent's work. */
const FULL_BYTES = 1_000_000;
const isDiskFull = async (home: string): Promise<boolean> => (await freeDisk(home).catch(() => FULL_BYTES)) < FULL_BYTES;

const toldBy = (event: Extract<RunEvent, { type: "AttemptFailed" | "AttemptRejected" }>): string =>
  event.type === "AttemptFailed" ? event.data.message : event.data.findings.map((f) => f.message).join("; ");

/** Keepers and the disk are ours, so their loss is no try of the agent's; a machine where it comes again and again is told as a failure. */
const MOST_UNCOUNTED = 3;

function uncounted(
  { step, state }: AttemptWork,
  outcome: Outcome,
  { because, evidence, usage }: { because: string; evidence: string; usage?: Usage | undefined },
): RunEvent {
  const before = (state.steps.get(step.path)?.attempts ?? []).filter((a) => a.interrupted?.because === because).length;
  if (before >= MOST_UNCOUNTED - 1) return outcome.failed("crash", `${because} ${before + 1} times: ${evidence}`, usage);
  return { type: "AttemptInterrupted", data: { ...outcome.of, because, evidence, ...(usage ? { usage } : {}) } };
}

class AttemptRun {
  readonly #deps: EngineDeps;
  readonly #work: AttemptWork;
  readonly #outcome: Outcome;
  readonly #preparation: Preparation;
  readonly #watches: Watches;
  #toRemove: Workspace | undefined;
  /** It made no progress, and its step says that it is not to be tried again. */
  #givenUp: string | undefined;

  constructor(deps: EngineDeps, work: AttemptWork, watches: Watches) {
    this.#deps = deps;
    this.#work = work;
    this.#watches = watches;
    this.#outcome = new Outcome(deps, work);
    this.#preparation = { deps, runId: work.state.runId, attempt: work.attempt, step: work.step, signal: work.signal };
  }

  async run(): Promise<RunEvent[]> {
    const { execution, workspaces, session, takenUp, attempt, from, state } = this.#work;
    const unset = missingSecrets(this.#preparation);
    if (unset.length > 0) {
      const message = `the step's env needs ${unset.join(", ")}, which is not set; put it into the environment or a file of secrets`;
      return [this.#outcome.failed("setup", message)];
    }
    if (!execution.executor.needsWorkspace) return this.#runWithoutWorkspace();
    await mkdir(dirname(transcriptPath(this.#deps.home, attempt, "agent")), { recursive: true, mode: 0o700 });
    const workspace = takenUp ?? session?.workspace ?? (await workspaces.create({ runId: state.runId, attempt, from }));
    this.#toRemove = workspace;
    await using ground = await this.#openGround(workspace);
    // What is taken up has its agent, and so had its setup.
    const failed = takenUp ? undefined : await ground.setUp("setup");
    if (failed?.end.kind === "aborted") return [this.#outcome.interrupted()];
    if (failed) return [this.#outcome.failed("setup", describeSetup(failed))];
    const { result, usage, exhausted, quota } = await this.#runAgent(workspace, ground);
    const events =
      result.kind === "ended"
        ? await this.#judged(workspace, { said: result.summary, usage }, { exhausted, quota })
        : this.#outcome.notDone(result, usage, exhausted);
    const kept = this.#kept(result, events);
    // The folder of a conversation that can be taken up stays for the next attempt; the run's end removes it.
    if (kept.length > 0) this.#toRemove = undefined;
    const step = this.#work.step.path;
    const givenUp: RunEvent[] = this.#givenUp === undefined ? [] : [{ type: "StepFailed", data: { step, because: this.#givenUp } }];
    return [...kept, ...events, ...givenUp];
  }

  async #judged(
    workspace: Workspace,
    done: { said: string; usage: Usage | undefined },
    { exhausted, quota }: Pick<AgentEnd, "exhausted" | "quota">,
  ): Promise<RunEvent[]> {
    const judged = await judgeAttempt(this.#deps, this.#work, this.#preparation, workspace, done);
    const event = this.#orAtLimit(judged.event, quota);
    if (exhausted) return this.#orSpent(event, exhausted, "its next call; it ended in the middle of its work");
    // Judges that a budget silenced have refused nothing: people are asked, and the step goes on when they say so.
    return this.#orSpent(event, judged.exhausted, "what its judges ask; its work is not judged");
  }

  /** Some agents say that they are done when their last call was refused: what they left half done is not their fault then. */
  #orAtLimit(judged: RunEvent, quota: QuotaEnd | undefined): RunEvent {
    if (!quota || judged.type !== "AttemptRejected") return judged;
    const message = `the quota of ${quota.provider} is used up; it ended in the middle of its work`;
    return this.#outcome.failed("quota", message, judged.data.usage, { provider: quota.provider, retryAt: quota.retryAt });
  }

  /** The same of a budget that refused a call. */
  #orSpent(judged: RunEvent, exhausted: Exhausted | undefined, what: string): RunEvent[] {
    if (!exhausted || judged.type !== "AttemptRejected") return [judged];
    const message = `${budgetName(exhausted.id)} cannot carry ${what}`;
    return [this.#outcome.failed("budget", message, judged.data.usage), exhaustedEvent(exhausted, this.#work.step.path)];
  }

  async #openGround(workspace: Workspace | undefined): Promise<Ground> {
    const ground = await Ground.open(this.#preparation, AGENT_PLACE, workspace);
    const { letGo } = this.#work;
    letGo.addEventListener("abort", () => ground.leave(), { once: true });
    if (letGo.aborted) ground.leave();
    return ground;
  }

  /** With a watch on it, and within its workspace's limit. */
  async #runAgent(workspace: Workspace | undefined, ground: Ground): Promise<AgentEnd> {
    const limit = this.#deps.isolation?.workspaceBytes ?? null;
    const ended = new AbortController();
    const tooLarge = (bytes: number): void => ended.abort(new EndedFor("agent", workspaceFull(bytes, limit ?? bytes)));
    using _size = workspace && limit !== null ? watchSize({ root: workspace.root, limit, onExceeded: tooLarge }) : undefined;
    const work = { ...this.#work, signal: AbortSignal.any([this.#work.signal, ended.signal]) };
    using watch = this.#watches.begin(work, work.finished(), (item) => {
      void whenStuck(work, item, watch, ({ message, isFinal }) => {
        if (isFinal) this.#givenUp = message;
        ended.abort(new EndedFor("stuck", message));
      });
    });
    const done = await runAgent(this.#deps, work, workspace, ground.env, { watch, readCalls: (spool) => this.#watches.readCalls(spool) });
    const reason: unknown = ended.signal.reason;
    // A person, or another engine, has ended it as well: that counts.
    if (done.result.kind !== "aborted" || !(reason instanceof EndedFor) || this.#work.signal.aborted) {
      this.#givenUp = undefined;
      return done;
    }
    return { ...done, result: { ...done.result, kind: "failed", because: reason.kind, message: reason.message } };
  }

  async cleanUp(): Promise<void> {
    if (!this.#toRemove || this.#deps.keepWorkspaces || this.#work.letGo.aborted) return;
    await this.#work.workspaces.remove(this.#toRemove).catch(() => undefined);
  }

  async #runWithoutWorkspace(): Promise<RunEvent[]> {
    const { step, agent } = this.#work;
    await using ground = await this.#openGround(undefined);
    const { result, usage, exhausted } = await this.#runAgent(undefined, ground);
    if (result.kind !== "ended") return this.#outcome.notDone(result, usage, exhausted);
    const promised = step.outputs.files.length + step.gates.length + (step.outputs.json ? 1 : 0);
    if (!step.readonly || promised > 0) {
      const message = `${agent} works without a workspace: it can only do readonly steps without outputs and gates`;
      return [this.#outcome.failed("internal", message, usage)];
    }
    const summary = result.summary ? { summary: this.#deps.mask(result.summary) } : {};
    return [{ type: "AttemptAccepted", data: { ...this.#outcome.of, gates: [], ...summary, ...(usage ? { usage } : {}) } }];
  }

  /** What the step's next attempt needs to go on with this one's conversation, where the agent says that it can. */
  #kept({ session }: ExecutionResult, events: readonly RunEvent[]): RunEvent[] {
    if (session === undefined || events.some((e) => e.type === "AttemptAccepted")) return [];
    const folder = this.#work.session?.folder ?? this.#work.attempt;
    return [{ type: "SessionKept", data: { ...this.#outcome.of, agent: this.#work.agent, session, from: this.#work.from, folder } }];
  }
}
