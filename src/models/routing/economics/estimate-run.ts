import type { About, Candidate, GateQuality, Interval } from "./contract.ts";
import type { Outcomes } from "./outcomes.ts";
import { ratesOf } from "./rates.ts";

/** One step of a run to come: who would try it, in that order, and how often at most. */
export interface PlannedStep {
  path: string;
  about: About;
  /** The way up: the first is tried first. Empty: a step that costs nothing (a command, an approval). */
  candidates: readonly Candidate[];
  /** Most attempts; the last candidate repeats when there are more than candidates. */
  attempts: number;
}

export interface RunEstimate {
  /** Micro-dollars. */
  expected: number;
  /** Of 80 %. */
  range: Interval;
  steps: readonly { path: string; expected: number; attempts: number }[];
  /** Steps that nobody with a known price does: not in the figures. */
  unknown: readonly string[];
  /** How it was computed. */
  method: string;
}

const Z80 = 1.2816;

/**
 * What a run is expected to cost, and the range it ends in with 80 %. A step costs its first attempt, and the next one as often as the gate
 * refuses. Two doubts make the range: how attempts and refusals fall (independent by step), and what is not known of an agent's cost (common
 * to all its steps, so it does not average out). The sum of many steps is taken as log-normal, since costs are never negative and lean to the right.
 */
export function estimateRun(steps: readonly PlannedStep[], outcomes: Outcomes, gate: GateQuality): RunEstimate {
  const unknown: string[] = [];
  const common = new Map<string, number>();
  let [expected, byChance] = [0, 0];
  let learnt = 0;
  const each = steps.flatMap((step) => {
    if (step.candidates.length === 0) return [{ path: step.path, expected: 0, attempts: 0 }];
    const rates = ratesOf(step.candidates, outcomes.basis, gate, step.about);
    if (rates.some((r) => r.microUsd === undefined)) {
      unknown.push(step.path);
      return [];
    }
    let [reach, cost, square, paid, tries] = [1, 0, 0, 0, 0];
    for (let n = 0; n < step.attempts; n++) {
      const r = rates[Math.min(n, rates.length - 1)];
      if (!r || r.microUsd === undefined) break;
      const accepts = n === step.attempts - 1 ? 1 : r.rate * (1 - gate.falseRefuse) + (1 - r.rate) * gate.falseAccept;
      // What one attempt costs varies about as its standard error does over all that were seen.
      const spread = r.microUsdError ** 2 * Math.max(1, r.attempts);
      paid += r.microUsd;
      cost += reach * r.microUsd;
      square += reach * accepts * paid ** 2 + reach * spread;
      common.set(r.candidate.id, (common.get(r.candidate.id) ?? 0) + reach * r.microUsdError);
      learnt += n === 0 && r.attempts >= 1 ? 1 : 0;
      tries += reach;
      reach *= 1 - accepts;
    }
    expected += cost;
    byChance += Math.max(0, square - cost ** 2);
    return [{ path: step.path, expected: Math.round(cost), attempts: tries }];
  });
  const deviation = Math.sqrt(byChance + [...common.values()].reduce((sum, error) => sum + error ** 2, 0));
  const sigma = expected <= 0 ? 0 : Math.sqrt(Math.log1p((deviation / expected) ** 2));
  const middle = expected <= 0 ? 0 : expected / Math.exp(sigma ** 2 / 2);
  const paying = steps.filter((s) => s.candidates.length > 0).length;
  return {
    expected: Math.round(expected),
    range: { low: Math.round(middle * Math.exp(-Z80 * sigma)), high: Math.round(middle * Math.exp(Z80 * sigma)) },
    steps: each,
    unknown,
    method:
      `Attempts at each step as often as its gate is expected to refuse, at their usual cost; ${learnt} of ${paying} steps from attempts in the ledger, ` +
      `the others from the price list${unknown.length > 0 ? `; ${unknown.length} steps have no known price and are left out` : ""}.${learnt === paying ? " The range holds 80 %." : ""}`,
  };
}
