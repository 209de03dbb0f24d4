import { confinedHost, type AgentHost, type Confine, type ExecutionResult, type ReportedTokens } from "../agents/index.ts";
import type { Step, Usage } from "../domain/index.ts";
import { GatewayError, importSpool, type BudgetLimit, type GatewayClient, type OpenKey } from "../models/index.ts";
import { buildPrompt } from "../planning/index.ts";
import type { Workspace } from "../workspace/index.ts";
import type { AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import type { Exhausted } from "./outcome.ts";
import { transcriptPath } from "./paths.ts";
import { spentOn } from "./spending.ts";
import type { AttemptWatch } from "./watch.ts";

/** How an agent ended, with its bill. */
export interface AgentEnd {
  result: ExecutionResult;
  usage: Usage | undefined;
  exhausted?: Exhausted;
}

/** How much longer than its agent a key may live that no engine closes. */
const KEY_SLACK_MS = 60_000;

/** Who looks on while it runs. */
export interface Onlooker {
  watch: AttemptWatch;
  /** Told where the gateway writes down calls. */
  readCalls(spool: string): void;
}

/** Runs the agent with a gateway key of its own, and settles its bill whatever happens. `env`: all of its environment. */
export async function runAgent(
  deps: EngineDeps,
  work: AttemptWork,
  workspace: Workspace | undefined,
  env: Readonly<Record<string, string>>,
  { watch, readCalls }: Onlooker,
): Promise<AgentEnd> {
  const { execution, step, attempt, feedback, signal, state, session } = work;
  const prompt = step.kind === "agent" ? buildPrompt(step, feedback, { goesOn: session !== undefined }) : "";
  const metering = await openMetering(deps, work);
  if (metering) readCalls(metering.gateway.spool);
  await using agents = agentHost(deps, work);
  const confine = workspace && (await confinementFor(deps, work, workspace, env, metering?.key.url));
  let result: ExecutionResult;
  let metered: Awaited<ReturnType<GatewayClient["closeKey"]>> | undefined;
  try {
    result = await execution.executor.execute(
      { attempt, runId: state.runId, step, prompt, feedback, ...(session ? { resume: session.id } : {}) },
      {
        host: watch.seeing(confine ? confinedHost(agents.host, confine) : agents.host),
        ...(workspace ? { workspace: { tree: workspace.tree, home: workspace.home, tmp: workspace.tmp } } : {}),
        env: withLogin(deps, work, env),
        transcript: transcriptPath(deps.home, attempt, "agent"),
        deadlineMs: step.timeoutMs,
        signal: metering ? AbortSignal.any([signal, metering.key.lost]) : signal,
        permit: (request, until) => watch.waiting(request.title, work.permit(step, attempt, request, until)),
        ...(execution.credentials ? { credentials: execution.credentials } : {}),
        ...(metering ? { gateway: { url: metering.key.url, key: metering.key.key, model: metering.key.model } } : {}),
        progress: (text) => {
          watch.progress(text);
          deps.onFeed?.({ kind: "progress", at: deps.clock.now(), attempt, step: step.path, text: deps.mask(text) });
        },
      },
    );
  } finally {
    // Whoever takes the attempt up goes on with its key.
    if (metering && !work.letGo.aborted) metered = await metering.gateway.closeKey(metering.key.key);
    if (metering) await importSpool({ spoolPath: metering.gateway.spool, store: deps.store });
  }
  // What the agent makes of a gateway that cannot come back is no word on its work.
  if (metering?.key.lost.aborted && !signal.aborted) result = { kind: "failed", because: "provider", message: reasonOf(metering.key.lost) };
  const { exhausted, upstreamError: _, credentials: __, ...sums } = metered ?? {};
  // What passed through the gateway is the bill; what an agent says of itself counts only where no gateway saw it.
  const usage = metered ? (sums as Usage) : (result.usage ?? ownWord(result.reported));
  return { result, usage, ...(exhausted ? { exhausted } : {}) };
}

async function openMetering(deps: EngineDeps, work: AttemptWork): Promise<{ gateway: GatewayClient; key: OpenKey } | undefined> {
  const { execution, step, attempt, state } = work;
  if (!execution.upstreams) return undefined;
  const gateway = await deps.gateway();
  const key = await gateway.openKey({
    runId: state.runId,
    attempt,
    agent: work.agent,
    tier: work.tier,
    upstreams: execution.upstreams,
    budgets: await budgetsOf(deps, work),
    maxOutputTokens: execution.maxOutputTokens,
    epoch: work.startEpoch,
    until: deps.clock.now() + step.timeoutMs + KEY_SLACK_MS,
    ...(execution.credentials === "pass-through" ? { credentials: "pass-through" as const } : {}),
  });
  return { gateway, key };
}

/** `undefined`: not confined, since no sandbox is in force or the agent brings its own. */
async function confinementFor(
  deps: EngineDeps,
  { execution, step }: AttemptWork,
  workspace: Workspace,
  env: Readonly<Record<string, string>>,
  gatewayUrl: string | undefined,
): Promise<Confine | undefined> {
  if (execution.hasOwnSandbox) return undefined;
  const request = { folders: workspace, path: env["PATH"] ?? "" };
  if (step.kind === "command") return deps.isolation?.confine(request);
  const gatewayPort = gatewayUrl === undefined ? undefined : Number(new URL(gatewayUrl).port);
  return deps.isolation?.confine({
    ...request,
    agent: { credentials: execution.credentials, gatewayPort, login: execution.login ?? [], programs: execution.programs ?? [] },
  });
}

/** Agents get a keeper of their own where there are keepers; disposing lets go of it. */
function agentHost(deps: EngineDeps, { attempt, epoch, takenUp, letGo }: AttemptWork): AsyncDisposable & { host: AgentHost } {
  const host = deps.keepers?.forAttempt({ attempt, epoch, takeUp: takenUp !== undefined });
  if (!host) return { host: deps.host, [Symbol.asyncDispose]: () => Promise.resolve() };
  const leave = (): void => void host[Symbol.asyncDispose]();
  letGo.addEventListener("abort", leave, { once: true });
  return {
    host,
    async [Symbol.asyncDispose]() {
      letGo.removeEventListener("abort", leave);
      await host[Symbol.asyncDispose]();
    },
  };
}

/** An agent on its user's login finds it in its user's HOME. */
function withLogin(deps: EngineDeps, { execution }: AttemptWork, env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isOwnLogin = execution.credentials === "direct" || execution.credentials === "pass-through";
  return isOwnLogin && deps.userHome !== undefined ? { ...env, HOME: deps.userHome } : env;
}

/** The run's, the step's, and those of the groups around it, which their steps share. */
async function budgetsOf(deps: EngineDeps, { state, step }: AttemptWork): Promise<BudgetLimit[]> {
  const limits: { id: string; limit: number; path: string | undefined }[] = [];
  if (state.budget !== undefined) limits.push({ id: `run:${state.runId}`, limit: state.budget, path: undefined });
  for (let at: Step | undefined = step; at; at = at.parent === undefined ? undefined : state.steps.get(at.parent)?.step) {
    const limit = state.stepBudgets.get(at.path) ?? at.budget;
    if (limit !== undefined) limits.push({ id: `step:${state.runId}/${at.path}`, limit, path: at.path });
  }
  if (limits.length === 0) return [];
  const spent = await spentOn(deps.store, state.runId);
  return limits.map(({ id, limit, path }) => ({ id, limit, spent: path === undefined ? spent.total : spent.below(path) }));
}

/** Tokens an agent says it used where no gateway saw them. What they cost is not known, which is not the same as nothing. */
const ownWord = (said: ReportedTokens | undefined): Usage | undefined => said && { ...said, microUsd: 0, provenance: "unknown" };

const reasonOf = ({ reason }: AbortSignal): string =>
  reason instanceof GatewayError ? `${reason.message} ${reason.hint}` : reason instanceof Error ? reason.message : String(reason);
