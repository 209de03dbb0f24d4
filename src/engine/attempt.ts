import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { AgentError, type ExecutionResult, type PermissionAnswer, type PermissionRequest } from "../agents/index.ts";
import type { Finding, RunEvent, RunState, WorkStep } from "../domain/index.ts";
import { WorkspaceError, type Workspace, type Workspaces } from "../workspace/index.ts";
import { attemptEnv, describeSetup, missingSecrets, runSetup, type Preparation } from "./clean-checkout.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";
import { judgeAttempt } from "./judge-attempt.ts";
import { Outcome } from "./outcome.ts";
import { transcriptPath } from "./paths.ts";
import { runAgent } from "./run-agent.ts";

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
  state: Pick<RunState, "runId" | "base" | "budget" | "stepBudgets" | "steps">;
  workspaces: Workspaces;
  /** An earlier attempt's conversation that its agent takes up, in that one's workspace. */
  session?: { id: string; folder: string; workspace: Workspace };
  /** It was under way when its engine was lost: the workspace its agent works in, or has worked in. */
  takenUp?: Workspace;
  /** Of its lease. */
  epoch: number;
  /** Of the lease under which its agent was started: its key goes by it. */
  startEpoch: number;
  /** Decides what its agent asks leave for. */
  permit: (step: WorkStep, attempt: string, request: PermissionRequest, signal: AbortSignal) => Promise<PermissionAnswer>;
}

/**
 * The events that say how it went. Whatever happens inside ends up here as one of them. Its workspace is gone before they are known: the check
 * of a merge, which they may lead to, works in the same folder.
 */
export async function carryOut(deps: EngineDeps, work: AttemptWork): Promise<RunEvent[]> {
  const outcome = new Outcome(deps, work);
  try {
    return await new AttemptRun(deps, work).run();
  } catch (error) {
    if (work.signal.aborted) return [outcome.interrupted()];
    if (error instanceof AgentError && error.code === "AGENT_KEEPER_LOST") return [keeperLost(work, outcome, deps.mask(error.message))];
    const known = error instanceof WorkspaceError || error instanceof AgentError;
    const message = known ? `${error.message} ${error.hint}` : `internal error: ${error instanceof Error ? error.message : String(error)}`;
    return [outcome.failed("internal", message)];
  }
}

/** Keepers are ours, so their loss is no try of the agent's; a machine that ends them again and again is told as a failure all the same. */
const MOST_LOST_KEEPERS = 3;

function keeperLost({ step, state }: AttemptWork, outcome: Outcome, evidence: string): RunEvent {
  const because = "its keeper was killed";
  const before = (state.steps.get(step.path)?.attempts ?? []).filter((a) => a.interrupted?.because === because).length;
  if (before < MOST_LOST_KEEPERS - 1) return { type: "AttemptInterrupted", data: { ...outcome.of, because, evidence } };
  return outcome.failed("crash", `${because} ${before + 1} times: ${evidence}`);
}

class AttemptRun {
  readonly #deps: EngineDeps;
  readonly #work: AttemptWork;
  readonly #outcome: Outcome;
  readonly #preparation: Preparation;

  constructor(deps: EngineDeps, work: AttemptWork) {
    this.#deps = deps;
    this.#work = work;
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
    let kept: RunEvent[] = [];
    try {
      // What is taken up has its agent, and so had its setup.
      const failed = takenUp ? undefined : await runSetup(this.#preparation, workspace, "setup");
      if (failed?.end.kind === "aborted") return [this.#outcome.interrupted()];
      if (failed) return [this.#outcome.failed("setup", describeSetup(failed))];
      const { result, usage, exhausted } = await runAgent(this.#deps, this.#work, workspace, attemptEnv(this.#preparation, workspace));
      const events =
        result.kind === "ended"
          ? [await judgeAttempt(this.#deps, this.#work, this.#preparation, workspace, { said: result.summary, usage })]
          : this.#outcome.notDone(result, usage, exhausted);
      kept = this.#kept(result, events);
      return [...kept, ...events];
    } finally {
      // The folder of a conversation that can be taken up stays for the next attempt; the run's end removes it.
      if (kept.length === 0 && !this.#deps.keepWorkspaces && !this.#work.letGo.aborted)
        await workspaces.remove(workspace).catch(() => undefined);
    }
  }

  async #runWithoutWorkspace(): Promise<RunEvent[]> {
    const { step, agent } = this.#work;
    const { result, usage, exhausted } = await runAgent(this.#deps, this.#work, undefined, attemptEnv(this.#preparation, undefined));
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
