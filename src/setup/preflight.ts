import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Preflight } from "../agents/index.ts";
import { attemptId } from "../domain/index.ts";
import type { EngineDeps } from "../engine/index.ts";
import type { Upstream } from "../models/index.ts";
import { RequestError } from "./failure.ts";
import { allOf, missed, type NeededAgents } from "./requirements.ts";
import { reachModel } from "./reach-model.ts";

const LONGEST_MS = 60_000;

export interface PreflightResult {
  agent: string;
  preflight: Preflight;
}

/** Really starts each agent once, side by side, and reaches its model. Spends nothing: no model is asked for an answer. */
export async function preflightAgents(
  deps: EngineDeps,
  runId: string,
  agents: readonly string[],
  signal: AbortSignal,
): Promise<PreflightResult[]> {
  await mkdir(deps.home, { recursive: true, mode: 0o700 });
  const scratch = await mkdtemp(join(deps.home, "preflight-"));
  try {
    return await Promise.all(agents.map(async (agent) => ({ agent, preflight: await tryAgent(deps, runId, agent, scratch, signal) })));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** One of the models is enough: the others are asked where it fails. What is told of several is what is wrong with the first. */
async function reachOne(upstreams: readonly [Upstream, ...Upstream[]], signal: AbortSignal): Promise<Preflight> {
  const [first, ...others] = upstreams;
  const reached = await reachModel(first, signal);
  if (reached.ok) return reached;
  for (const other of others) {
    const instead = await reachModel(other, signal);
    if (instead.ok) return { ok: true, detail: `${reached.problem} Instead of it: ${instead.detail}` };
  }
  return reached;
}

async function tryAgent(deps: EngineDeps, runId: string, id: string, parent: string, signal: AbortSignal): Promise<Preflight> {
  const { executor: execution, tier } = deps.registry.get(id);
  const scratch = join(parent, id);
  await mkdir(scratch);
  const { upstreams } = execution;
  // A login of the agent's own is not ours to try.
  const isOwnLogin = execution.credentials === "pass-through" || execution.credentials === "direct";
  const reached = upstreams && !isOwnLogin ? await reachOne(upstreams, signal) : undefined;
  if (reached && !reached.ok) return reached;
  const gateway = upstreams ? await deps.gateway() : undefined;
  const open =
    gateway && upstreams
      ? await gateway.openKey({
          runId,
          attempt: attemptId(runId, `preflight-${id}`, 1),
          agent: id,
          tier,
          upstreams,
          budgets: [],
          maxOutputTokens: execution.maxOutputTokens,
          ...(execution.credentials === "pass-through" ? { credentials: "pass-through" as const } : {}),
        })
      : undefined;
  try {
    return await execution.executor.preflight({
      host: deps.host,
      env: { ...deps.baseEnv, HOME: (isOwnLogin ? deps.userHome : undefined) ?? scratch, TMPDIR: scratch, TERM: "dumb" },
      signal,
      scratch,
      ...(open ? { gateway: { url: open.url, key: open.key, model: open.model } } : {}),
    });
  } finally {
    if (gateway && open) await gateway.closeKey(open.key);
  }
}

/**
 * Throws PREFLIGHT_FAILED when one does not start that the run cannot do without, INTERRUPTED when `interrupt` aborts meanwhile. Others that do not
 * start, of higher tiers or found and not alone, are set aside, and `tell` hears why.
 */
export async function requirePreflight(
  deps: EngineDeps,
  runId: string,
  needed: NeededAgents,
  interrupt: AbortSignal,
  tell: (notice: string) => void = () => undefined,
): Promise<void> {
  const results = await preflightAgents(deps, runId, allOf(needed), AbortSignal.any([interrupt, AbortSignal.timeout(LONGEST_MS)]));
  if (interrupt.aborted) throw new RequestError("INTERRUPTED", "interrupted before anything was started", "", 130);
  const fatal = missed(needed, new Set(results.flatMap(({ agent, preflight }) => (preflight.ok ? [] : [agent]))));
  for (const { agent, preflight } of results) {
    if (preflight.ok) continue;
    const problem = deps.mask(preflight.problem);
    if (fatal.includes(agent))
      throw new RequestError("PREFLIGHT_FAILED", `agent ${agent} does not work: ${problem}`, `${preflight.hint} Nothing was started.`, 1);
    deps.registry.setAside(agent, problem);
    tell(`${agent} (${deps.registry.get(agent).tier}) is left out: it does not work: ${problem}`);
  }
}
