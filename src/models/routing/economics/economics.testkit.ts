import type { Candidate, OutcomeRow } from "./contract.ts";

/** Small and seeded (mulberry32), for made-up ledgers. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface MadeUp {
  id: string;
  tier: string;
  /** P(right) on work of middling difficulty. */
  skill: number;
  microUsd: number;
}

export const candidatesOf = (agents: readonly MadeUp[]): Candidate[] => agents.map(({ id, tier }) => ({ id, tier }));

/** A ledger in which every agent tried every piece of work, and hard work is hard for all. */
export function ledgerOf(agents: readonly MadeUp[], works: number, seed = 1): OutcomeRow[] {
  const random = seeded(seed);
  return Array.from({ length: works }, (_, work) => {
    const hard = 3 * (random() - 0.5);
    return agents.map((a): OutcomeRow => {
      const p = 1 / (1 + Math.exp(1.5 * hard - Math.log(a.skill / (1 - a.skill))));
      const right = random() < p;
      return {
        work: `work-${work}`,
        type: "fix",
        complexity: 5,
        agent: a.id,
        tier: a.tier,
        right,
        microUsd: Math.round(a.microUsd * (right ? 0.9 : 1.3)),
        ms: 1_000,
      };
    });
  }).flat();
}
