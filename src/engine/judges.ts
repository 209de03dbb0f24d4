import { DEFAULT_TIERS, resolveTier } from "../config/index.ts";
import type { RegisteredAgent } from "../fleet/index.ts";
import { costOf } from "../models/index.ts";
import type { AgentExecution, EngineDeps } from "./contract.ts";

type Judging = RegisteredAgent<AgentExecution>;

/** Who is to judge, as a pipeline says it: ids of agents, or tiers. Empty: nobody is named. */
export interface JudgeWish {
  judges: readonly string[];
  stronger?: string | undefined;
}

export type ChosenJudges =
  | { ok: true; judges: readonly [Judging, ...Judging[]]; stronger?: Judging }
  | { ok: false; problem: string; hint: string };

/** Of a tier so many are asked at most, the cheapest first: three settle what two leave open. */
const MOST_OF_TIER = 3;

/** Its model can be asked by the engine itself: with our key, through the gateway. */
const canJudge = ({ executor }: Judging): boolean =>
  executor.upstreams !== undefined && (executor.credentials === undefined || executor.credentials === "metered");

/**
 * Whose models judge. A name is an agent's id, else a tier: its agents, but for those whose own work is judged. Where no judge is named, the cheapest
 * agent with a model that did not do the work itself; where no stronger one is named, the dearest other, if it is dearer. `own`: who did the work.
 */
export function chooseJudges(
  registry: Pick<EngineDeps["registry"], "list" | "has">,
  tiers: readonly string[],
  wish: JudgeWish,
  own: ReadonlySet<string>,
): ChosenJudges {
  const able = registry
    .list()
    .filter(canJudge)
    .sort((a, b) => tiers.indexOf(a.tier) - tiers.indexOf(b.tier) || costOfJudging(a) - costOfJudging(b));
  const others = able.filter(({ id }) => !own.has(id));
  const named = (name: string): readonly Judging[] => {
    const agent = able.find(({ id }) => id === name);
    if (agent) return [agent];
    const tier = registry.has(name) ? undefined : resolveTier(name, tiers);
    return tier === undefined ? [] : others.filter((a) => a.tier === tier);
  };
  const judges: Judging[] = [];
  for (const name of wish.judges) {
    const found = named(name);
    if (found.length === 0) return { ok: false, ...whyNot(name, registry.has(name)) };
    judges.push(...found.slice(0, MOST_OF_TIER).filter((a) => !judges.includes(a)));
  }
  if (wish.judges.length === 0) judges.push(...others.slice(0, 1));
  const [first, ...more] = judges;
  if (!first)
    return {
      ok: false,
      problem: "no agent is there to judge: only the one that does the work has a model that Stepfall can ask",
      hint: "Name `judges`, or register another agent with a model of ours (credentials: metered).",
    };
  const free = others.filter((a) => !judges.includes(a));
  const dearer = free.at(-1);
  const stronger =
    wish.stronger === undefined
      ? dearer && able.indexOf(dearer) > Math.max(...judges.map((a) => able.indexOf(a)))
        ? dearer
        : undefined
      : named(wish.stronger).findLast((a) => !judges.includes(a));
  if (wish.stronger !== undefined && !stronger)
    return judges.some(({ id }) => id === wish.stronger)
      ? { ok: false, problem: `${wish.stronger} is among the judges already`, hint: "Name another agent as the stronger judge." }
      : { ok: false, ...whyNot(wish.stronger, registry.has(wish.stronger)) };
  return { ok: true, judges: [first, ...more], ...(stronger ? { stronger } : {}) };
}

const whyNot = (name: string, isAgent: boolean): { problem: string; hint: string } => ({
  problem: isAgent
    ? `${name} cannot judge: it has no model that Stepfall can ask, or is left out`
    : `there is no agent or tier ${name} that could judge`,
  hint: "A judge is an agent with a model of ours (credentials: metered): name its id, or a tier that has one beside the agent that does the work.",
});

/** Tiers of the project, from the cheapest up. */
export const tiersOf = ({ budgets }: Pick<EngineDeps, "budgets">): readonly string[] => budgets?.tiers ?? DEFAULT_TIERS;

/** A judge reads much and writes little. A model whose price nobody knows comes last in its tier. */
const costOfJudging = ({ executor: { upstreams } }: Judging): number => {
  const price = upstreams?.[0].price;
  return price ? costOf({ inputTokens: 20_000, cachedInputTokens: 0, outputTokens: 2_000 }, price) : Number.MAX_SAFE_INTEGER;
};
