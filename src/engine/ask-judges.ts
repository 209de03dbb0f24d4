import { randomUUID } from "node:crypto";
import type { RegisteredAgent } from "../fleet/index.ts";
import { importSpool, type GatewayClient, type OpenKey } from "../models/index.ts";
import { createGatewayAsk, type Ask, type Judge, type JudgeModel, type JudgingOptions } from "../quality/index.ts";
import { limitsOf, projectKey, type Spender } from "./budgets.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";
import type { ChosenJudges } from "./judges.ts";
import type { Exhausted } from "./outcome.ts";

type Chosen = Extract<ChosenJudges, { ok: true }>;

/** What the judging room is handed beside the work. */
export type Asking = Pick<JudgingOptions, "judges" | "stronger" | "ask" | "fence" | "now">;

export interface Judged<T> {
  value: T;
  /** By the gateway's count, over all judges. */
  microUsd: number;
  /** A budget that refused a question. */
  exhausted?: Exhausted;
}

/**
 * Has `use` ask the judges' models, each through a gateway key of its own under the attempt: metered, held by its budgets, on its bill under the
 * judge's name. The keys have no epoch: with one they would be the attempt's own agent's. They are closed whatever happens.
 */
export async function withJudges<T>(
  deps: Pick<EngineDeps, "gateway" | "store" | "clock" | "budgets">,
  spender: Spender,
  { judges, stronger }: Chosen,
  use: (asking: Asking) => Promise<T>,
): Promise<Judged<T>> {
  const gateway = await deps.gateway();
  const opened: OpenKey[] = [];
  let microUsd = 0;
  let exhausted: Exhausted | undefined;
  const close = async (): Promise<void> => {
    for (const { key } of opened.splice(0)) {
      const used = await gateway.closeKey(key);
      microUsd += used.microUsd;
      exhausted ??= used.exhausted;
    }
    await importSpool({ spoolPath: gateway.spool, store: deps.store });
  };
  try {
    const models = new Map<string, JudgeModel>();
    for (const agent of [...judges, ...(stronger ? [stronger] : [])]) {
      const key = await openFor(deps, gateway, spender, agent);
      opened.push(key);
      const upstream = agent.executor.upstreams?.[0];
      models.set(agent.id, {
        url: key.url,
        key: key.key,
        model: key.model,
        ...(upstream?.price ? { price: upstream.price } : {}),
        ...(upstream ? { provider: upstream.provider } : {}),
      });
    }
    const ask: Ask = createGatewayAsk({ models });
    const [first, ...others] = judges;
    const judgeOf = ({ id }: { id: string }): Judge => ({ id });
    const value = await use({
      judges: [judgeOf(first), ...others.map(judgeOf)],
      ...(stronger ? { stronger: judgeOf(stronger) } : {}),
      ask,
      fence: randomUUID(),
      now: () => deps.clock.now(),
    });
    await close();
    return { value, microUsd, ...(exhausted ? { exhausted } : {}) };
  } finally {
    if (opened.length > 0) await close();
  }
}

async function openFor(
  deps: Pick<EngineDeps, "store" | "clock" | "budgets">,
  gateway: GatewayClient,
  spender: Spender,
  { id, tier, executor }: RegisteredAgent<AgentExecution>,
): Promise<OpenKey> {
  if (!executor.upstreams) throw new TypeError(`${id} has no model`);
  return gateway.openKey({
    runId: spender.state.runId,
    attempt: spender.attempt,
    agent: id,
    tier,
    upstreams: executor.upstreams,
    budgets: await limitsOf(deps, spender),
    project: projectKey(spender.state.project),
    maxOutputTokens: executor.maxOutputTokens,
    ...(executor.quota ? { quota: executor.quota } : {}),
  });
}
