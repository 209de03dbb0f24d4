import type { About, Candidate, GateQuality } from "./contract.ts";
import { FIELD, sumsAt, sumsFor, type Basis, type Sums } from "./outcomes.ts";

/** How often an agent is right, as a Beta posterior, and what an attempt of it costs. */
export interface Rates {
  candidate: Candidate;
  /** P(right). */
  rate: number;
  /** Of the Beta posterior: a / (a + b) is `rate`. */
  a: number;
  b: number;
  /** Micro-dollars of an attempt. `undefined`: nothing is known, no attempt and no price. */
  microUsd: number | undefined;
  /** Standard error of `microUsd`. */
  microUsdError: number;
  /** Attempts behind it, each counted by how much it says about this step. */
  attempts: number;
}

/** Strengths of the priors, in attempts: of an agent to its tier, and of a tier to all. */
const TIER_STRENGTH = 4;
const ALL_STRENGTH = 4;
const ALL_RATE = 0.5;

/**
 * Rates of the candidates at steps like `about`. Hierarchical (empirical Bayes, Efron and Morris 1975): an agent is drawn to the mean of its
 * tier, and its tier to all. Where only the gate's verdict is known, the gate's errors are taken out of it first.
 */
export function ratesOf(candidates: readonly Candidate[], basis: Basis, gate: GateQuality, about?: About): Rates[] {
  const from = sumsAt(about);
  const all = candidates.map((c) => sumsFor(basis.agents.get(c.id), about));
  const tiers = tierSums(candidates, all, from, gate);
  return candidates.map((candidate, i) => ratesFrom(candidate, all[i] ?? new Float64Array(0), from, tiers.get(candidate.tier), gate));
}

/**
 * Of each tier the agent with the lowest cost per right result, and of equal ones the one that is right more often. The same figures as
 * `ratesOf`, without an object for each agent of a large registry: it is in the path of every decision.
 */
export function bestOfTiers(
  candidates: readonly Candidate[],
  tiers: readonly string[],
  basis: Basis,
  gate: GateQuality,
  about?: About,
): (Rates & { microUsd: number })[] {
  const from = sumsAt(about);
  const all = candidates.map((c) => sumsFor(basis.agents.get(c.id), about));
  const sums = tierSums(candidates, all, from, gate);
  return tiers.flatMap((tier) => {
    const ofTier = sums.get(tier);
    let [best, least, bestRate] = [-1, Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i < candidates.length; i++) {
      const [candidate, s] = [candidates[i], all[i]];
      if (!candidate || !s || candidate.tier !== tier) continue;
      const cost = costOf(candidate, s, from, ofTier);
      if (cost === undefined) continue;
      const rate = rateOf(s, from, ofTier, gate);
      const perRight = cost / rate;
      if (perRight > least || (perRight === least && rate <= bestRate)) continue;
      [best, least, bestRate] = [i, perRight, rate];
    }
    const [candidate, s] = [candidates[best], all[best]];
    return candidate && s ? [ratesFrom(candidate, s, from, ofTier, gate) as Rates & { microUsd: number }] : [];
  });
}

function ratesFrom(candidate: Candidate, s: Sums, from: number, tier: TierSums | undefined, gate: GateQuality): Rates {
  const judged = s[from + FIELD.judged] ?? 0;
  const known = s[from + FIELD.known] ?? 0;
  const rate = rateOf(s, from, tier, gate);
  const of = known + (judged === 0 ? 0 : judged * worthOf(rate, gate));
  const [priced, spent] = [s[from + FIELD.priced] ?? 0, s[from + FIELD.microUsd] ?? 0];
  const microUsd = costOf(candidate, s, from, tier);
  // With no attempt seen, a price list is believed to within its own size.
  const squares = s[from + FIELD.microUsdSquared] ?? 0;
  const variance = priced < 2 ? (microUsd ?? 0) ** 2 : Math.max(0, squares / priced - (spent / priced) ** 2);
  const strength = of + TIER_STRENGTH;
  return {
    candidate,
    rate,
    a: rate * strength,
    b: (1 - rate) * strength,
    microUsd,
    microUsdError: Math.sqrt(variance / Math.max(1, priced)),
    attempts: s[from + FIELD.attempts] ?? 0,
  };
}

const priorOf = (tier: TierSums | undefined): number => ((tier?.right ?? 0) + ALL_STRENGTH * ALL_RATE) / ((tier?.of ?? 0) + ALL_STRENGTH);

function rateOf(s: Sums, from: number, tier: TierSums | undefined, gate: GateQuality): number {
  const prior = priorOf(tier);
  const [right, known, judged] = [s[from + FIELD.right] ?? 0, s[from + FIELD.known] ?? 0, s[from + FIELD.judged] ?? 0];
  if (judged === 0) return (right + TIER_STRENGTH * prior) / (known + TIER_STRENGTH);
  const behind = trueRate((s[from + FIELD.accepted] ?? 0) / judged, gate);
  let rate = prior;
  // What a verdict is worth depends on the rate: three rounds are enough for it to settle.
  for (let round = 0; round < 3; round++) {
    const worth = judged * worthOf(rate, gate);
    rate = (right + worth * behind + TIER_STRENGTH * prior) / (known + worth + TIER_STRENGTH);
  }
  return rate;
}

function costOf(candidate: Candidate, s: Sums, from: number, tier: TierSums | undefined): number | undefined {
  const priced = s[from + FIELD.priced] ?? 0;
  const listed = candidate.listMicroUsd ?? (tier && tier.priced > 0 ? tier.microUsd / tier.priced : undefined);
  if (listed === undefined) return priced === 0 ? undefined : (s[from + FIELD.microUsd] ?? 0) / priced;
  return ((s[from + FIELD.microUsd] ?? 0) + listed) / (priced + 1);
}

interface TierSums {
  right: number;
  of: number;
  microUsd: number;
  priced: number;
}

function tierSums(candidates: readonly Candidate[], all: readonly Sums[], from: number, gate: GateQuality): Map<string, TierSums> {
  const tiers = new Map<string, TierSums>();
  const worth = worthOf(ALL_RATE, gate);
  for (let i = 0; i < candidates.length; i++) {
    const [candidate, s] = [candidates[i], all[i]];
    const attempts = s?.[from + FIELD.attempts] ?? 0;
    if (!candidate || !s || attempts === 0) continue;
    let tier = tiers.get(candidate.tier);
    if (!tier) tiers.set(candidate.tier, (tier = { right: 0, of: 0, microUsd: 0, priced: 0 }));
    const judged = (s[from + FIELD.judged] ?? 0) * worth;
    tier.right +=
      (s[from + FIELD.right] ?? 0) +
      (judged > 0 ? judged * trueRate((s[from + FIELD.accepted] ?? 0) / (s[from + FIELD.judged] ?? 1), gate) : 0);
    tier.of += (s[from + FIELD.known] ?? 0) + judged;
    tier.microUsd += s[from + FIELD.microUsd] ?? 0;
    tier.priced += s[from + FIELD.priced] ?? 0;
  }
  return tiers;
}

/** The share that is right behind a share that a fallible gate accepted (Rogan and Gladen 1978). */
function trueRate(accepted: number, gate: GateQuality): number {
  const tells = 1 - gate.falseRefuse - gate.falseAccept;
  if (tells <= 0.01) return 0.5;
  return Math.min(1, Math.max(0, (accepted - gate.falseAccept) / tells));
}

/** P(right | verdict) for an agent that is right at `rate`. */
export function rightGiven(isAccepted: boolean, rate: number, gate: GateQuality): number {
  const [right, wrong] = isAccepted
    ? [rate * (1 - gate.falseRefuse), (1 - rate) * gate.falseAccept]
    : [rate * gate.falseRefuse, (1 - rate) * (1 - gate.falseAccept)];
  return right + wrong === 0 ? rate : right / (right + wrong);
}

/**
 * The share of an observation that a bare verdict is worth: of the Fisher information about the rate, what passes through the gate. A gate
 * that tells little counts for little.
 */
function worthOf(rate: number, gate: GateQuality): number {
  const passes = rate * (1 - gate.falseRefuse) + (1 - rate) * gate.falseAccept;
  const tells = Math.max(0, 1 - gate.falseRefuse - gate.falseAccept);
  const noise = passes * (1 - passes);
  return noise <= 1e-9 ? 1 : Math.min(1, (tells * tells * rate * (1 - rate)) / noise);
}
