import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { ExecutionResult, PermissionAnswer, PermissionRequest, ReportedTokens } from "../agents/index.ts";
import type { Finding, RunEvent, RunState, Step, Usage, WorkStep } from "../domain/index.ts";
import { importSpool, type BudgetLimit, type GatewayClient, type OpenKey } from "../models/index.ts";
import { buildPrompt } from "../planning/index.ts";
import { judge, protectedPaths } from "../quality/index.ts";
import { WorkspaceError, type Workspace, type Workspaces } from "../workspace/index.ts";
import { attemptEnv, CleanCheckout, describeSetup, missingSecrets, runSetup, type Preparation } from "./clean-checkout.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";
import { transcriptPath } from "./paths.ts";
import { spentOn } from "./spending.ts";

/** One attempt, from its reservation on. */
export interface AttemptWork {
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
  signal: AbortSignal;
  /** Decides what its agent asks leave for. */
  permit: (step: WorkStep, attempt: string, request: PermissionRequest, signal: AbortSignal) => Promise<PermissionAnswer>;
}

/**
 * The events that say how it went. Whatever happens inside ends up here as one of them. Its workspace is gone before they are known: the check
 * of a merge, which they may lead to, works in the same folder.
 */
export async function carryOut(deps: EngineDeps, work: AttemptWork): Promise<RunEvent[]> {
  const of = { attempt: work.attempt, step: work.step.path };
  try {
    return await new AttemptRun(deps, work).run();
  } catch (error) {
    if (work.signal.aborted) return [{ type: "AttemptInterrupted", data: { ...of, because: abortReason(work.signal) } }];
    const known = error instanceof WorkspaceError;
    const message = deps.mask(
      known ? `${error.message} ${error.hint}` : `internal error: ${error instanceof Error ? error.message : String(error)}`,
    );
    return [{ type: "AttemptFailed", data: { ...of, kind: "internal", message } }];
  }
}

class AttemptRun {
  readonly #deps: EngineDeps;
  readonly #work: AttemptWork;
  readonly #of: { attempt: string; step: string };
  readonly #preparation: Preparation;
  #metered: Awaited<ReturnType<GatewayClient["closeKey"]>> | undefined;

  constructor(deps: EngineDeps, work: AttemptWork) {
    this.#deps = deps;
    this.#work = work;
    this.#of = { attempt: work.attempt, step: work.step.path };
    this.#preparation = { deps, runId: work.state.runId, attempt: work.attempt, step: work.step, signal: work.signal };
  }

  async run(): Promise<RunEvent[]> {
    const { execution, step, workspaces } = this.#work;
    const unset = missingSecrets(this.#preparation);
    if (unset.length > 0)
      return [
        this.#failed(
          "setup",
          `the step's env needs ${unset.join(", ")}, which is not set; put it into the environment or a file of secrets`,
        ),
      ];
    if (!execution.executor.needsWorkspace) return this.#runWithoutWorkspace();
    await mkdir(dirname(this.#transcript("agent")), { recursive: true, mode: 0o700 });
    const { session } = this.#work;
    const request = { runId: this.#work.state.runId, attempt: this.#work.attempt, from: this.#work.from };
    const workspace = session?.workspace ?? (await workspaces.create(request));
    let kept: RunEvent[] = [];
    try {
      const failed = await runSetup(this.#preparation, workspace, "setup");
      if (failed?.end.kind === "aborted") return [this.#interrupted(undefined)];
      if (failed) return [this.#failed("setup", describeSetup(failed))];
      const { result, usage, exhausted } = await this.#execute(workspace);
      const events =
        result.kind === "ended" ? [await this.#judge(workspace, step, result.summary, usage)] : this.#notDone(result, usage, exhausted);
      kept = this.#kept(result, events);
      return [...kept, ...events];
    } finally {
      // The folder of a conversation that can be taken up stays for the next attempt; the run's end removes it.
      if (kept.length === 0 && !this.#deps.keepWorkspaces) await workspaces.remove(workspace).catch(() => undefined);
    }
  }

  async #runWithoutWorkspace(): Promise<RunEvent[]> {
    const { step } = this.#work;
    const { result, usage, exhausted } = await this.#execute(undefined);
    if (result.kind !== "ended") return this.#notDone(result, usage, exhausted);
    const promised = step.outputs.files.length + step.gates.length + (step.outputs.json ? 1 : 0);
    if (!step.readonly || promised > 0)
      return [
        this.#failed(
          "internal",
          `${this.#work.agent} works without a workspace: it can only do readonly steps without outputs and gates`,
          usage,
        ),
      ];
    return [
      {
        type: "AttemptAccepted",
        data: {
          ...this.#of,
          gates: [],
          ...(result.summary ? { summary: this.#deps.mask(result.summary) } : {}),
          ...(usage ? { usage } : {}),
        },
      },
    ];
  }

  /** Runs the agent with a gateway key of its own, and settles its bill whatever happens. */
  async #execute(workspace: Workspace | undefined): Promise<{ result: ExecutionResult; usage: Usage | undefined; exhausted?: Exhausted }> {
    const { execution, step, attempt, feedback, signal, state, session } = this.#work;
    const deps = this.#deps;
    const prompt = step.kind === "agent" ? buildPrompt(step, feedback, { goesOn: session !== undefined }) : "";
    let gateway: GatewayClient | undefined;
    let open: OpenKey | undefined;
    if (execution.upstreams) {
      gateway = await deps.gateway();
      open = await gateway.openKey({
        runId: state.runId,
        attempt,
        agent: this.#work.agent,
        tier: this.#work.tier,
        upstreams: execution.upstreams,
        budgets: await this.#budgets(),
        maxOutputTokens: execution.maxOutputTokens,
        ...(execution.credentials === "pass-through" ? { credentials: "pass-through" as const } : {}),
      });
    }
    let result: ExecutionResult;
    try {
      result = await execution.executor.execute(
        { attempt, runId: state.runId, step, prompt, feedback, ...(session ? { resume: session.id } : {}) },
        {
          host: deps.host,
          ...(workspace ? { workspace: { tree: workspace.tree, home: workspace.home, tmp: workspace.tmp } } : {}),
          env: this.#agentEnv(workspace),
          transcript: this.#transcript("agent"),
          deadlineMs: step.timeoutMs,
          signal,
          permit: (request, until) => this.#work.permit(step, attempt, request, until),
          ...(execution.credentials ? { credentials: execution.credentials } : {}),
          ...(open ? { gateway: { url: open.url, key: open.key, model: open.model } } : {}),
          progress: (text) => deps.onFeed?.({ kind: "progress", at: deps.clock.now(), attempt, step: step.path, text: deps.mask(text) }),
        },
      );
    } finally {
      if (gateway && open) this.#metered = await gateway.closeKey(open.key);
      if (gateway) await importSpool({ spoolPath: gateway.spool, store: deps.store });
    }
    const { exhausted, upstreamError: _, credentials: __, ...metered } = this.#metered ?? {};
    // What passed through the gateway is the bill; what an agent says of itself counts only where no gateway saw it.
    const usage = open && this.#metered ? (metered as Usage) : (result.usage ?? ownWord(result.reported));
    return { result, usage, ...(exhausted ? { exhausted } : {}) };
  }

  /** An agent on its user's login finds it in its user's HOME. */
  #agentEnv(workspace: Workspace | undefined): Record<string, string> {
    const env = attemptEnv(this.#preparation, workspace);
    const { credentials } = this.#work.execution;
    const isOwnLogin = credentials === "direct" || credentials === "pass-through";
    return isOwnLogin && this.#deps.userHome !== undefined ? { ...env, HOME: this.#deps.userHome } : env;
  }

  /** The run's, the step's, and those of the groups around it, which their steps share. */
  async #budgets(): Promise<BudgetLimit[]> {
    const { state, step } = this.#work;
    const limits: { id: string; limit: number; path: string | undefined }[] = [];
    if (state.budget !== undefined) limits.push({ id: `run:${state.runId}`, limit: state.budget, path: undefined });
    for (let at: Step | undefined = step; at; at = at.parent === undefined ? undefined : state.steps.get(at.parent)?.step) {
      const limit = state.stepBudgets.get(at.path) ?? at.budget;
      if (limit !== undefined) limits.push({ id: `step:${state.runId}/${at.path}`, limit, path: at.path });
    }
    if (limits.length === 0) return [];
    const spent = await spentOn(this.#deps.store, state.runId);
    return limits.map(({ id, limit, path }) => ({ id, limit, spent: path === undefined ? spent.total : spent.below(path) }));
  }

  async #judge(workspace: Workspace, step: WorkStep, said: string, usage: Usage | undefined): Promise<RunEvent> {
    const { workspaces, from } = this.#work;
    const deps = this.#deps;
    // Judged against the files it started from: earlier steps' accepted work is not this attempt's doing.
    // They matter only for what gate commands read; a git process saved is time saved where many attempts end at once.
    const filesBefore = !step.protected && step.gates.some((g) => g.kind === "command") ? await workspaces.list(from) : [];
    const snapshot = await workspaces.snapshot({
      workspace,
      title: `${step.path}: ${firstLine(said) || "work of " + this.#work.agent}`,
      protected: protectedPaths(step, deps.protected, filesBefore),
      base: from,
      at: deps.clock.now(),
      trailers: { "Stepfall-Agent": this.#work.agent },
    });
    const tree = snapshot.commit ?? from;
    const absent = await workspaces.missing(tree, step.outputs.files);
    await using clean = new CleanCheckout(this.#preparation, workspaces, tree, "gates");
    const judged = await judge({
      step,
      commit: snapshot.commit,
      tree,
      changed: snapshot.changed,
      dropped: snapshot.dropped,
      refused: snapshot.refused,
      ignored: absent.length > 0 ? await workspaces.ignored(workspace, absent) : [],
      from,
      missing: (globs) => workspaces.missing(tree, globs),
      read: (commit, path) => workspaces.readFile(commit, path),
      command: (command, options) => clean.run(command, options),
    });
    const summary = deps.mask(said).slice(0, 4000);
    const common = {
      ...this.#of,
      ...(summary ? { summary } : {}),
      ...(usage ? { usage } : {}),
      // What a readonly step leaves is its structured output at most: recorded, and not merged.
      ...(snapshot.commit && !(step.readonly && judged.verdict === "accepted") ? { commit: snapshot.commit } : {}),
    };
    switch (judged.verdict) {
      case "accepted":
        return {
          type: "AttemptAccepted",
          data: {
            ...common,
            gates: judged.gates,
            ...(judged.output === undefined ? {} : { output: judged.output }),
            ...(snapshot.dropped.length > 0 ? { dropped: [...snapshot.dropped] } : {}),
          },
        };
      case "rejected":
        return { type: "AttemptRejected", data: { ...common, gates: judged.gates, findings: judged.findings } };
      case "aborted":
        return this.#interrupted(usage);
      default:
        return judged satisfies never;
    }
  }

  /** What the step's next attempt needs to go on with this one's conversation, where the agent says that it can. */
  #kept({ session }: ExecutionResult, events: readonly RunEvent[]): RunEvent[] {
    if (session === undefined || events.some((e) => e.type === "AttemptAccepted")) return [];
    const folder = this.#work.session?.folder ?? this.#work.attempt;
    return [{ type: "SessionKept", data: { ...this.#of, agent: this.#work.agent, session, from: this.#work.from, folder } }];
  }

  #notDone(result: Exclude<ExecutionResult, { kind: "ended" }>, usage: Usage | undefined, exhausted: Exhausted | undefined): RunEvent[] {
    if (result.kind === "aborted") return [this.#interrupted(usage)];
    // The gateway's word for it counts: an agent may take a refused call for a failure of its own.
    if (exhausted && (result.because === "budget" || result.because === "agent" || result.because === "provider")) {
      const isRun = exhausted.id.startsWith("run:");
      return [
        this.#failed("budget", result.message, usage),
        {
          type: "BudgetExhausted",
          data: {
            scope: isRun ? "run" : "step",
            ...(isRun ? {} : { step: exhausted.id.slice(`step:${this.#work.state.runId}/`.length) }),
            limit: exhausted.limit,
            spent: exhausted.spent,
          },
        },
      ];
    }
    return [this.#failed(result.because === "budget" ? "provider" : result.because, result.message, usage)];
  }

  #failed(kind: Extract<RunEvent, { type: "AttemptFailed" }>["data"]["kind"], message: string, usage?: Usage): RunEvent {
    return {
      type: "AttemptFailed",
      data: { ...this.#of, kind, message: this.#deps.mask(message).slice(0, 4000), ...(usage ? { usage } : {}) },
    };
  }

  #interrupted(usage: Usage | undefined): RunEvent {
    return { type: "AttemptInterrupted", data: { ...this.#of, because: abortReason(this.#work.signal), ...(usage ? { usage } : {}) } };
  }

  #transcript(role: string): string {
    return transcriptPath(this.#deps.home, this.#work.attempt, role);
  }
}

/** Tokens an agent says it used where no gateway saw them. What they cost is not known, which is not the same as nothing. */
const ownWord = (said: ReportedTokens | undefined): Usage | undefined => said && { ...said, microUsd: 0, provenance: "unknown" };

type Exhausted = { id: string; limit: number; spent: number };

const abortReason = (signal: AbortSignal): string =>
  signal.reason instanceof Error ? signal.reason.message : typeof signal.reason === "string" ? signal.reason : "stopped";

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 72);
