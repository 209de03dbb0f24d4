import { createHash } from "node:crypto";
import type { Config } from "../config/index.ts";
import type { AgentStep } from "../domain/index.ts";
import type { StepRouting } from "../engine/index.ts";
import {
  costOf,
  entryTier,
  scoreComplexity,
  stepTypeOf,
  type Candidate,
  type Complexity,
  type TierOption,
  type TierStart,
} from "../models/index.ts";
import { nothingLearnt, type Learnt } from "./learnt.ts";
import { isGatewayAgent, priceFor, providerOf } from "./registry.ts";

/**
 * What an attempt is taken to use where the ledger knows nothing of an agent: it puts price lists in an order and is no measurement. Characters of a
 * prompt are taken for a quarter of a token.
 */
export const TYPICAL = { inputTokens: 60_000, cachedInputTokens: 0, outputTokens: 4_000 };
const CHARS_A_TOKEN = 4;
/** Where no price is known a tier is taken to cost ten times the one below. */
const TIER_FACTOR = 10;
const LOWEST_MICRO_USD = 1_000;

/** How the steps of this project are routed: by its rules, its policy or the one it compares that with, and what was learnt. */
export function routingFor(config: Config, learnt: Learnt = nothingLearnt()): (runId: string, step: string) => StepRouting {
  const { defaultAgent, routing, tiers } = config;
  const { rules, split, ...policy } = routing;
  const prices = pricesOf(config);
  const common = {
    tiers,
    defaultAgent,
    rules,
    typeOf,
    chooseEntry: (step: AgentStep, options: readonly TierOption[]) => chooseEntry(step, options, { tiers, learnt, prices }),
  };
  if (!split) return () => ({ ...common, policy });
  const { name, share, ...other } = split;
  return (runId, step) =>
    isIn(share, runId, step) ? { ...common, policy: other, policyName: name } : { ...common, policy, policyName: "default" };
}

/** The same answer whenever it is asked: all attempts at a step follow one policy. */
function isIn(share: number, runId: string, step: string): boolean {
  const digest = createHash("sha256").update(`${runId}\0${step}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < share;
}

const types = new WeakMap<AgentStep, string>();
/** Told from the prompt once: it may be long. */
function typeOf(step: AgentStep): string {
  let type = step.type ?? types.get(step);
  if (type === undefined) types.set(step, (type = stepTypeOf(step.prompt).type));
  return type;
}

/** How hard a step looks before anybody has tried it. */
export function complexityOf(step: AgentStep, { history }: Pick<Learnt, "history">): Complexity {
  const type = typeOf(step);
  return scoreComplexity({
    type,
    contextTokens: Math.ceil(step.prompt.length / CHARS_A_TOKEN),
    files: new Set([...step.outputs.files, ...step.touches]).size,
    history: history.get(type) ?? { tries: 0, accepted: 0 },
  });
}

interface Known {
  tiers: readonly string[];
  learnt: Learnt;
  /** List price of a typical attempt, by agent. */
  prices: ReadonlyMap<string, number>;
}

function chooseEntry(step: AgentStep, options: readonly TierOption[], { tiers, learnt, prices }: Known): TierStart | undefined {
  const { score } = complexityOf(step, learnt);
  const candidates = candidatesOf(options, tiers, prices);
  const entry = entryTier(candidates, tiers, learnt.outcomes, learnt.gate, { type: typeOf(step), complexity: score });
  const option = entry && options.find((o) => o.tier === entry.tier);
  if (!entry || !option) return undefined;
  const agents = [entry.agent, ...option.agents.filter((id) => id !== entry.agent)];
  return { tier: entry.tier, agents, reasons: entry.reasons, complexity: score };
}

/** Agents with what an attempt of theirs costs by the list, or by the order of the tiers where there is none. */
function candidatesOf(options: readonly TierOption[], tiers: readonly string[], prices: ReadonlyMap<string, number>): Candidate[] {
  const ofTier = (tier: string): number => {
    const known = options.find((o) => o.tier === tier)?.agents.flatMap((id) => prices.get(id) ?? []) ?? [];
    if (known.length > 0) return known.reduce((sum, price) => sum + price, 0) / known.length;
    const rank = tiers.indexOf(tier);
    return rank <= 0 ? 0 : LOWEST_MICRO_USD * TIER_FACTOR ** rank;
  };
  return options.flatMap(({ tier, agents }) => agents.map((id) => ({ id, tier, listMicroUsd: prices.get(id) ?? ofTier(tier) })));
}

/** Only agents that pass through the gateway have a list price. */
export function pricesOf(config: Config): Map<string, number> {
  const prices = new Map<string, number>();
  for (const agent of config.agents) {
    if (!isGatewayAgent(agent)) continue;
    const price = priceFor(agent, providerOf(agent, config));
    if (price) prices.set(agent.id, costOf(TYPICAL, price));
  }
  return prices;
}
