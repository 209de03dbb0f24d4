import type { Activity } from "./activity.ts";
import { loopText } from "./liveness.ts";
import { loopAtEnd, repeatedShare } from "./repetition.ts";
import type { LivenessLimits } from "./seen.ts";
import { span } from "./span.ts";

export interface RiskFactor {
  name: "repetition" | "burn" | "silence";
  /** 0 to 1. */
  value: number;
  /** Its share of the score; the weights of the factors given add up to 1. */
  weight: number;
  /** How the value came about, a sentence each. */
  evidence: readonly string[];
}

export interface Risk {
  /** 0 to 1. */
  score: number;
  factors: readonly RiskFactor[];
  /** Factors that nothing is known of, and why. They are no part of the score. */
  leftOut: readonly { name: RiskFactor["name"]; because: string }[];
}

/** A finished attempt that is like the one that runs (see peers.ts). */
export interface Peer {
  durationMs: number;
  /** Input and output. */
  tokens: number;
  microUsd: number;
}

/**
 * How much each factor counts. A judgement and no measurement: going in circles is what ends without a result most surely, so it counts as
 * much as the two others together.
 */
const WEIGHTS = { repetition: 0.5, burn: 0.25, silence: 0.25 } as const;

const NGRAM = 3;
/** Fewer calls than this say nothing of repetition as a habit. */
const LEAST_CALLS = 6;
/** Fewer pauses than this tell nothing of what is usual. */
const LEAST_PAUSES = 3;
/** Where phi counts as certain: the threshold at which Cassandra, which takes its formula from the same paper, calls a node dead. */
const CERTAIN_PHI = 8;

/**
 * How likely it looks that an attempt comes to nothing, while it runs. The score is the root of the weighted mean of the squares of its factors
 * (so that one high factor is not hidden by two low ones); it grows with each of them. Factors nothing is known of are left out, and the
 * weights of the others grow in proportion. A score is an order among attempts, not a probability: nothing here was fitted to outcomes.
 *
 * - `repetition`: the larger of how far a loop at the end of its calls is on its way to count as stuck, and of the share of its call trigrams
 *   that it made before (seq-rep-3, see repetition.ts).
 * - `burn`: where it stands among similar finished attempts, in what it has used so far and in what it uses a minute; the larger one. In
 *   micro-dollars, or in tokens where those attempts cost nothing. The place is k/(n+1) for k of n peers that used less (Weibull's plotting
 *   position, which claims no certainty of few peers), counted from the median: 0 up to the median, 1 far above all of many.
 * - `silence`: the larger of its silence as a share of the limit at which it counts as stuck, and of phi, which is -log10 of the probability of
 *   such a pause by its own pauses so far (the accrual failure detector of Hayashibara et al., 2004, with exponential pauses), as a share of 8.
 */
export function risk(activity: Activity, peers: readonly Peer[], now: number, limits: LivenessLimits): Risk {
  const found = [repetition(activity, limits), burn(activity, peers, now), silence(activity, now, limits)];
  const known = found.flatMap((f) => ("value" in f ? [f] : []));
  const leftOut = found.flatMap((f) => ("because" in f ? [f] : []));
  const whole = known.reduce((sum, { name }) => sum + WEIGHTS[name], 0);
  const factors = known.map((f) => ({ ...f, weight: WEIGHTS[f.name] / whole }));
  const score = Math.min(1, Math.sqrt(factors.reduce((sum, f) => sum + f.weight * f.value * f.value, 0)));
  return { score, factors, leftOut };
}

type Found = Omit<RiskFactor, "weight"> | { name: RiskFactor["name"]; because: string };

function repetition({ tokens, actions }: Activity, { repeats }: LivenessLimits): Found {
  const name = "repetition";
  if (actions === 0) return { name, because: "no tool call was seen" };
  const loop = loopAtEnd(tokens, repeats);
  const calls = tokens.filter((token) => token !== undefined).length;
  const again = calls < LEAST_CALLS ? 0 : (repeatedShare(tokens, NGRAM) ?? 0);
  const evidence = [
    loop ? loopText(loop) : "its last call is no repetition of the one before",
    calls < LEAST_CALLS
      ? `${calls} of its calls are known: too few to speak of a habit`
      : `${percent(again)} of its last ${calls} calls, in threes, were made before`,
  ];
  return { name, value: Math.max(loop?.share ?? 0, again), evidence };
}

function burn(activity: Activity, peers: readonly Peer[], now: number): Found {
  const name = "burn";
  if (peers.length === 0) return { name, because: "no similar attempt has finished yet" };
  const costs = peers.some((peer) => peer.microUsd > 0);
  const of = (p: { tokens: number; microUsd: number }): number => (costs ? p.microUsd : p.tokens);
  if (!costs && peers.every((peer) => peer.tokens === 0)) return { name, because: "nothing is known of what similar attempts used" };
  const used = costs ? activity.microUsd : activity.tokensUsed;
  const unit = costs ? "micro-dollars" : "tokens";
  const total = place(used, peers.map(of));
  const evidence = [`${used} ${unit} so far: more than ${total.below} of ${peers.length} similar attempts used in all`];
  let value = total.value;
  // One call says nothing of a rate.
  if (activity.endedCalls >= 2 && now > activity.startedAt) {
    const aMinute = (amount: number, ms: number): number => (amount * 60_000) / Math.max(1, ms);
    const rates = peers.map((peer) => aMinute(of(peer), peer.durationMs));
    const rate = aMinute(used, now - activity.startedAt);
    const pace = place(rate, rates);
    evidence.push(`${Math.round(rate)} ${unit} a minute: more than ${pace.below} of them`);
    value = Math.max(value, pace.value);
  }
  return { name, value, evidence };
}

/** Above the median of the others, by Weibull's plotting position; equal ones count half. */
function place(value: number, others: readonly number[]): { value: number; below: number } {
  const below = others.filter((other) => other < value).length;
  const equal = others.filter((other) => other === value).length;
  return { value: Math.max(0, (2 * (below + equal / 2)) / (others.length + 1) - 1), below };
}

function silence(activity: Activity, now: number, { silenceMs }: LivenessLimits): Found {
  const name = "silence";
  const silent = activity.silentMs(now);
  const ofLimit = Math.min(1, silent / silenceMs);
  const { pauses } = activity;
  const evidence = [`silent for ${span(silent)}, ${percent(ofLimit)} of the limit`];
  if (pauses.length < LEAST_PAUSES) {
    evidence.push("too few pauses of its own to compare with");
    return { name, value: ofLimit, evidence };
  }
  const mean = pauses.reduce((sum, ms) => sum + ms, 0) / pauses.length;
  const phi = (silent / mean) * Math.LOG10E;
  evidence.push(`its ${pauses.length} pauses took ${span(mean)} on average: phi ${phi.toFixed(1)} of ${CERTAIN_PHI}`);
  return { name, value: Math.min(1, Math.max(ofLimit, phi / CERTAIN_PHI)), evidence };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
