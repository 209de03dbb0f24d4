import { confinedHost, type AgentHost, type Confine, type ExecutionResult, type ReportedTokens } from "../agents/index.ts";
import type { Usage } from "../domain/index.ts";
import { GatewayError, importSpool, limitInWords, type GatewayClient, type OpenKey } from "../models/index.ts";
import { buildPrompt } from "../planning/index.ts";
import type { Workspace } from "../workspace/index.ts";
import type { AttemptWork } from "./attempt.ts";
import { limitsOf, projectKey, shareOf } from "./budgets.ts";
import type { EngineDeps } from "./contract.ts";
import type { Exhausted, QuotaEnd } from "./outcome.ts";
import { transcriptPath } from "./paths.ts";
import { keepPrompt } from "./prompt-file.ts";
import { saidBefore } from "./messages.ts";
import type { AttemptWatch } from "./watch.ts";

/** How an agent ended, with its bill. */
export interface AgentEnd {
  result: ExecutionResult;
  usage: Usage | undefined;
  exhausted?: Exhausted;
  /** The limit at which its last call was refused. */
  quota?: QuotaEnd;
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
  const hasRunTools = takesRunTools(work) && execution.executor.runTools === "surely";
  const prompt =
    step.kind === "agent" ? buildPrompt(step, feedback, { goesOn: session !== undefined, hasRunTools, said: saidBefore(work) }) : "";
  if (step.kind === "agent") keepPrompt(deps, attempt, prompt);
  const metering = await openMetering(deps, work);
  if (metering) readCalls(metering.gateway.spool);
  await using agents = agentHost(deps, work);
  const confine = workspace && (await confinementFor(deps, work, workspace, env, metering?.key.url));
  let result: ExecutionResult;
  let metered: Awaited<ReturnType<GatewayClient["closeKey"]>> | undefined;
  try {
    using _requests = serveRequests(work, metering, watch);
    result = await execution.executor.execute(
      { attempt, runId: state.runId, step, prompt, feedback, ...(session ? { resume: session.id } : {}) },
      {
        host: watch.seeing(confine ? confinedHost(agents.host, confine) : agents.host),
        ...(workspace ? { workspace: { tree: workspace.tree, home: workspace.home, tmp: workspace.tmp } } : {}),
        env: {
          ...withLogin(deps, work, env),
          ...(metering && deps.traceparent ? { TRACEPARENT: deps.traceparent(state.runId, attempt) } : {}),
        },
        transcript: transcriptPath(deps.home, attempt, "agent"),
        deadlineMs: step.timeoutMs,
        signal: metering ? AbortSignal.any([signal, metering.key.lost]) : signal,
        messages: work.messages,
        permit: (request, until) => watch.waiting(deps.mask(request.title), work.permit(step, attempt, request, until)),
        ...(execution.credentials ? { credentials: execution.credentials } : {}),
        ...(metering ? { gateway: { url: metering.key.url, key: metering.key.key, model: metering.key.model } } : {}),
        ...(metering?.key.mcp === undefined ? {} : { mcp: { url: metering.key.mcp } }),
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
  const { exhausted, quota: met, upstreamError: _, credentials: __, ...sums } = metered ?? {};
  // What passed through the gateway is the bill; what an agent says of itself counts only where no gateway saw it.
  const usage = metered ? (sums as Usage) : (result.usage ?? ownWord(result.reported));
  const quota = met ?? ownLimit(deps, work, result);
  return { result: quota ? atLimit(result, quota) : result, usage, ...(exhausted ? { exhausted } : {}), ...(quota ? { quota } : {}) };
}

/** Whether its agent is given the tools of its run: they come by the gateway, with the attempt's own key. */
const takesRunTools = ({ execution, step }: AttemptWork): boolean =>
  step.kind === "agent" && execution.upstreams !== undefined && execution.executor.runTools !== undefined;

function serveRequests(work: AttemptWork, metering: Metering | undefined, watch: AttemptWatch): Disposable | undefined {
  if (metering?.key.mcp === undefined) return undefined;
  const { step, attempt, agent, signal, requests } = work;
  const server = requests.serve({ step, attempt, agent, signal, waiting: (what, answer) => watch.waiting(what, answer) });
  return metering.gateway.serveRequests(metering.key.key, server);
}

interface Metering {
  gateway: GatewayClient;
  key: OpenKey;
}

async function openMetering(deps: EngineDeps, work: AttemptWork): Promise<Metering | undefined> {
  const { execution, step, attempt, state } = work;
  if (!execution.upstreams) return undefined;
  const gateway = await deps.gateway();
  const budgets = await limitsOf(deps, work);
  const hold = shareOf(execution, budgets, attempt);
  const key = await gateway.openKey({
    runId: state.runId,
    attempt,
    agent: work.agent,
    tier: work.tier,
    upstreams: execution.upstreams,
    budgets,
    ...(hold === undefined ? {} : { hold }),
    project: projectKey(state.project),
    maxOutputTokens: execution.maxOutputTokens,
    epoch: work.startEpoch,
    ...(takesRunTools(work) ? { mcp: true } : {}),
    until: deps.clock.now() + step.timeoutMs + KEY_SLACK_MS,
    ...(execution.quota ? { quota: execution.quota } : {}),
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

/** Tokens an agent says it used where no gateway saw them. What they cost is not known, which is not the same as nothing. */
const ownWord = (said: ReportedTokens | undefined): Usage | undefined => said && { ...said, microUsd: 0, provenance: "unknown" };

/** A limit that an agent on its own login tells of in words, where no gateway saw it. */
function ownLimit(deps: EngineDeps, { execution, agent }: AttemptWork, result: ExecutionResult): QuotaEnd | undefined {
  const { credentials, quota } = execution;
  if (credentials !== "direct" || !quota || quota.onLimit === "fail" || result.kind !== "failed") return undefined;
  if (result.because !== "agent" && result.because !== "provider") return undefined;
  const now = deps.clock.now();
  const retryAt = limitInWords(result.message, now);
  return retryAt === undefined || retryAt - now > quota.mostMs ? undefined : { provider: `the login of ${agent}`, retryAt };
}

/** How an agent words it that its call was refused does not matter. */
function atLimit(result: ExecutionResult, { provider, retryAt }: QuotaEnd): ExecutionResult {
  if (result.kind !== "failed" || !["agent", "provider", "budget", "crash"].includes(result.because)) return result;
  return { ...result, because: "quota", quota: { provider, retryAt } };
}

const reasonOf = ({ reason }: AbortSignal): string =>
  reason instanceof GatewayError ? `${reason.message} ${reason.hint}` : reason instanceof Error ? reason.message : String(reason);
