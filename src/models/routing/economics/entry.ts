import type { About, Candidate, Entry, GateQuality, RankedEntry } from "./contract.ts";
import { ASSUMED_LOADING, nodeWeights, ratesByDifficulty } from "./difficulty.ts";
import type { Outcomes } from "./outcomes.ts";
import { ratesOf, type Rates } from "./rates.ts";

/** Entries whose waterfall ends rightly this much less often than the best are no saving: their price is in the results. */
const WORTH_LESS = 0.02;
/** Costs within this of each other are equal terms: the lower tier is taken. */
const EQUAL = 0.01;

interface Rung {
  tier: string;
  best: Rates & { microUsd: number };
}

/**
 * With which tier a waterfall should begin: the lowest expected cost per right result, of the whole way up from there. A cheap tier that is
 * refused often costs its attempt on top of the next one's; a gate that lets wrong results through ends the way too soon, with nothing to show.
 * `tiers` are all tiers, cheapest first. What a refusal says of the next tier comes from the common difficulty (difficulty.ts), at its assumed
 * loading; `planCascade` learns that too, and takes longer. Pure, and meant for every decision.
 */
export function entryTier(
  candidates: readonly Candidate[],
  tiers: readonly string[],
  outcomes: Outcomes,
  gate: GateQuality,
  about?: About,
): Entry | undefined {
  const rates = ratesOf(candidates, outcomes.basis, gate, about);
  const rungs = tiers.flatMap((tier): Rung[] => {
    const best = bestOf(rates, tier);
    return best ? [{ tier, best }] : [];
  });
  if (rungs.length === 0) return undefined;
  const ranked = rungs.map((_, from) => rank(rungs.slice(from), gate));
  const mostRight = Math.max(...ranked.map((r) => r.right));
  const worthIt = ranked.filter((r) => r.right >= mostRight - WORTH_LESS);
  const least = Math.min(...worthIt.map((r) => r.microUsdPerRight));
  // From the lowest tier up: on equal terms the lower one is found first.
  const chosen = worthIt.find((r) => r.microUsdPerRight <= least * (1 + EQUAL)) ?? ranked[0];
  if (!chosen) return undefined;
  const others = ranked.filter((r) => r !== chosen).sort((a, b) => a.microUsdPerRight - b.microUsdPerRight);
  const isLearnt = rungs.some((r) => r.best.attempts > 0);
  return {
    agent: chosen.agent,
    tier: chosen.tier,
    ranking: [chosen, ...others],
    isLearnt,
    get reasons() {
      return reasons(chosen, others, mostRight, isLearnt, gate);
    },
  };
}

/** The agent of a tier with the lowest cost per right result; the one that is right more often where they cost the same. */
function bestOf(rates: readonly Rates[], tier: string): (Rates & { microUsd: number }) | undefined {
  let best: (Rates & { microUsd: number }) | undefined;
  for (const r of rates) {
    if (r.candidate.tier !== tier || r.microUsd === undefined) continue;
    const known = r as Rates & { microUsd: number };
    const [mine, its] = [known.microUsd / known.rate, best ? best.microUsd / best.rate : Number.POSITIVE_INFINITY];
    if (mine < its || (mine === its && best && known.rate > best.rate)) best = known;
  }
  return best;
}

function rank(rungs: readonly Rung[], gate: GateQuality): RankedEntry {
  const reached = Float64Array.from(nodeWeights);
  let [right, microUsd] = [0, 0];
  for (const { best } of rungs) {
    const rates = ratesByDifficulty(best.rate, ASSUMED_LOADING, scratch);
    for (let q = 0; q < reached.length; q++) {
      const [m, p] = [reached[q] ?? 0, rates[q] ?? 0];
      microUsd += m * best.microUsd;
      right += m * p * (1 - gate.falseRefuse);
      reached[q] = m * (p * gate.falseRefuse + (1 - p) * (1 - gate.falseAccept));
    }
  }
  const first = rungs[0]?.best;
  const rate = first?.rate ?? 0;
  const accepts = rate * (1 - gate.falseRefuse) + (1 - rate) * gate.falseAccept;
  const error = first ? Math.sqrt((rate * (1 - rate)) / (first.a + first.b + 1)) * Math.abs(1 - gate.falseRefuse - gate.falseAccept) : 0.5;
  return {
    agent: first?.candidate.id ?? "",
    tier: first?.candidate.tier ?? "",
    microUsdPerRight: right <= 0 ? Number.POSITIVE_INFINITY : microUsd / right,
    microUsd: Math.round(microUsd),
    right,
    acceptance: { mean: accepts, low: Math.max(0, accepts - 1.96 * error), high: Math.min(1, accepts + 1.96 * error) },
    attempts: first?.attempts ?? 0,
  };
}

/** Reused: nothing of it outlives a call of `rank`. */
const scratch = new Float64Array(nodeWeights.length);

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const dollars = (microUsd: number): string => (Number.isFinite(microUsd) ? `$${(microUsd / 1e6).toFixed(4)}` : "no bound");

function reasons(chosen: RankedEntry, others: readonly RankedEntry[], mostRight: number, isLearnt: boolean, gate: GateQuality): string[] {
  const { low, high, mean } = chosen.acceptance;
  const known = isLearnt
    ? `learnt from ${Math.round(chosen.attempts)} attempts that count here: accepted ${percent(mean)} (95 % interval ${percent(low)} to ${percent(high)})`
    : "no attempt is known yet: the price list decides, and every agent is taken to be right half the time";
  return [
    `${chosen.tier} (${chosen.agent}) begins: ${dollars(chosen.microUsdPerRight)} expected for a right result from there up; ${known}`,
    ...others.map((r) =>
      r.right < mostRight - WORTH_LESS
        ? `${r.tier} (${r.agent}) does not: the gate would let through too many wrong results, ${percent(r.right)} of steps would end rightly instead of ${percent(mostRight)}`
        : `${r.tier} (${r.agent}): ${dollars(r.microUsdPerRight)} for a right result`,
    ),
    `the gate ${gate.isAssumed ? "is assumed to accept" : "accepts"} ${percent(gate.falseAccept)} of wrong results`,
  ];
}
