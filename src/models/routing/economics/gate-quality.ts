import { betaInterval } from "./beta.ts";
import type { GateCounts, GateQuality } from "./contract.ts";

/**
 * What is assumed of a gate nobody has counted, and how many judged results the assumption is worth. On public data a gate of "it edits,
 * lints, and the existing tests pass" accepted 62 % of wrong results and 87 % of right ones; a gate with tests of the issue itself is far
 * better. The assumption lies between, and is weak.
 */
const ASSUMED = { falseAccept: 0.3, falseRefuse: 0.1, strength: 4 };

/** Below so many judged results of a kind, a gate's quality counts as assumed. */
const ENOUGH = 10;

/** A gate's error rates from counts, as posterior means of Beta priors. No counts: what is assumed, marked so. */
export function gateQuality(counts: GateCounts = { wrong: 0, wrongAccepted: 0, right: 0, rightRefused: 0 }): GateQuality {
  const rate = (hits: number, of: number, prior: number): { mean: number; low: number; high: number } => {
    const [a, b] = [hits + prior * ASSUMED.strength, of - hits + (1 - prior) * ASSUMED.strength];
    return { mean: a / (a + b), ...betaInterval(a, b, 0.95) };
  };
  const accept = rate(counts.wrongAccepted, counts.wrong, ASSUMED.falseAccept);
  const refuse = rate(counts.rightRefused, counts.right, ASSUMED.falseRefuse);
  return {
    falseAccept: accept.mean,
    falseRefuse: refuse.mean,
    falseAcceptInterval: { low: accept.low, high: accept.high },
    falseRefuseInterval: { low: refuse.low, high: refuse.high },
    counts,
    isAssumed: counts.wrong < ENOUGH || counts.right < ENOUGH,
  };
}

/** A gate whose error rates are given, e.g. by a person or by a replay. */
export const statedGate = (falseAccept: number, falseRefuse: number): GateQuality => ({
  falseAccept,
  falseRefuse,
  falseAcceptInterval: { low: falseAccept, high: falseAccept },
  falseRefuseInterval: { low: falseRefuse, high: falseRefuse },
  counts: { wrong: 0, wrongAccepted: 0, right: 0, rightRefused: 0 },
  isAssumed: false,
});
