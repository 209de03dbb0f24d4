import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Preflight } from "../agents/index.ts";
import { attemptId } from "../domain/index.ts";
import type { EngineDeps } from "../engine/index.ts";
import { RequestError } from "./failure.ts";
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

async function tryAgent(deps: EngineDeps, runId: string, id: string, parent: string, signal: AbortSignal): Promise<Preflight> {
  const { executor: execution, tier } = deps.registry.get(id);
  const scratch = join(parent, id);
  await mkdir(scratch);
  const { upstreams } = execution;
  // A login of the agent's own is not ours to try.
  const isOwnLogin = execution.credentials === "pass-through" || execution.credentials === "direct";
  const reached = upstreams && !isOwnLogin ? await reachModel(upstreams[0], signal) : undefined;
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

/** Throws PREFLIGHT_FAILED when one of them does not start, INTERRUPTED when `interrupt` aborts meanwhile. */
export async function requirePreflight(deps: EngineDeps, runId: string, agents: readonly string[], interrupt: AbortSignal): Promise<void> {
  const results = await preflightAgents(deps, runId, agents, AbortSignal.any([interrupt, AbortSignal.timeout(LONGEST_MS)]));
  if (interrupt.aborted) throw new RequestError("INTERRUPTED", "interrupted before anything was started", "", 130);
  for (const { agent, preflight } of results) {
    if (!preflight.ok)
      throw new RequestError(
        "PREFLIGHT_FAILED",
        `agent ${agent} does not work: ${deps.mask(preflight.problem)}`,
        `${preflight.hint} Nothing was started.`,
        1,
      );
  }
}
