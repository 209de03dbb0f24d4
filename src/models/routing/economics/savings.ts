import type { MicroUsd } from "../../../domain/index.ts";
import type { Candidate, Estimate, GateQuality, OutcomeRow } from "./contract.ts";
import { learnOutcomes, type Work } from "./outcomes.ts";
import { ratesOf, rightGiven } from "./rates.ts";

/** What the same work would have cost otherwise. Always an estimate: it was not done. */
export interface Counterfactual {
  name: "always-premium" | "best-single";
  agent: string;
  /** What all steps would have cost. */
  microUsd: Estimate;
  /** That, less what was spent: negative where the other way would have been cheaper. */
  saved: Estimate;
  /** Share of steps that would have ended with a right result, and of those that did. */
  right: { counterfactual: Estimate; actual: number };
  steps: number;
  /** Steps on which this agent was really seen; its cost there is its own. */
  seen: number;
  isEstimate: true;
  /** How it was computed. */
  method: string;
}

export interface Savings {
  spent: MicroUsd;
  steps: number;
  counterfactuals: readonly Counterfactual[];
  /** Counterfactuals that cannot be computed, and why. */
  missing: readonly string[];
}

/**
 * What was saved against doing every step with one agent. Each step costs what that agent's attempt at it cost, where it made one; elsewhere
 * what it usually costs, scaled by how dear the step was for the agents that did try it (a ratio estimator, Cochran 1977, ch. 6): steps that
 * were dear for one are dear for others.
 */
export function savings(
  rows: readonly OutcomeRow[],
  candidates: readonly Candidate[],
  gate: GateQuality,
  premiumTier = "premium",
): Savings {
  const outcomes = learnOutcomes(rows);
  const rates = ratesOf(candidates, outcomes.basis, gate).filter((r) => r.microUsd !== undefined);
  // A step whose cost nobody knows cannot be compared with what it would have cost.
  const works = outcomes.basis.works.filter(({ attempts }) => attempts.every((r) => r.microUsd !== undefined));
  const spent = works.reduce((sum, { attempts }) => sum + attempts.reduce((paid, r) => paid + (r.microUsd ?? 0), 0), 0);
  const left = outcomes.basis.works.length - works.length;
  const usual = new Map(rates.map((r) => [r.candidate.id, { microUsd: r.microUsd ?? 0, rate: r.rate }]));
  const actual = works.reduce((sum, w) => sum + endsRight(w, usual, gate), 0) / Math.max(1, works.length);
  const missing: string[] = left > 0 ? [`${left === 1 ? "a step" : `${left} steps`} of which nobody knows what they cost`] : [];
  const found: Counterfactual[] = [];
  const named = (
    name: Counterfactual["name"],
    among: typeof rates,
    better: (a: (typeof rates)[0], b: (typeof rates)[0]) => number,
    none: string,
  ): void => {
    const agent = [...among].sort(better)[0];
    if (!agent || works.length === 0) missing.push(works.length === 0 ? `${name}: no step is in the ledger` : `${name}: ${none}`);
    else found.push(counterfactual(name, agent, works, { spent, actual, usual, gate }));
  };
  named(
    "always-premium",
    rates.filter((r) => r.candidate.tier === premiumTier),
    (a, b) => b.rate - a.rate,
    `no agent of tier ${premiumTier} has a price`,
  );
  const tried = rates.filter((r) => r.attempts > 0);
  const best = Math.max(...tried.map((r) => r.rate));
  named(
    "best-single",
    tried.filter((r) => r.rate >= best - 0.01),
    (a, b) => (a.microUsd ?? 0) - (b.microUsd ?? 0),
    "no agent was tried",
  );
  return { spent, steps: works.length, counterfactuals: found, missing };
}

interface Known {
  spent: MicroUsd;
  actual: number;
  usual: ReadonlyMap<string, { microUsd: number; rate: number }>;
  gate: GateQuality;
}

function counterfactual(
  name: Counterfactual["name"],
  agent: ReturnType<typeof ratesOf>[0],
  works: readonly Work[],
  known: Known,
): Counterfactual {
  const { id } = agent.candidate;
  const usually = agent.microUsd ?? 0;
  let [total, variance, seen] = [0, 0, 0];
  for (const work of works) {
    const own = work.attempts.find((r) => r.agent === id);
    if (own) {
      total += own.microUsd ?? usually;
      seen++;
      continue;
    }
    const [paid, usual] = work.attempts.reduce(
      ([p, u], r) => [p + (r.microUsd ?? 0), u + (known.usual.get(r.agent)?.microUsd ?? 0)],
      [0, 0],
    );
    // One step tells little of its own dearness: half of what it shows is believed.
    total += usually * (usual > 0 ? (1 + paid / usual) / 2 : 1);
    variance += usually ** 2;
  }
  const unseen = works.length - seen;
  // Of the steps by themselves, and of the agent's usual cost, which is common to all of them.
  const error = Math.sqrt(variance + (unseen * agent.microUsdError) ** 2);
  const around = (mean: number, floor: number): Estimate => ({
    mean: Math.round(mean),
    low: Math.round(Math.max(floor, mean - 1.96 * error)),
    high: Math.round(mean + 1.96 * error),
  });
  const rateError = Math.sqrt((agent.rate * (1 - agent.rate)) / (agent.a + agent.b + 1));
  return {
    name,
    agent: id,
    microUsd: around(total, 0),
    saved: around(total - known.spent, Number.NEGATIVE_INFINITY),
    right: {
      counterfactual: {
        mean: agent.rate,
        low: Math.max(0, agent.rate - 1.96 * rateError),
        high: Math.min(1, agent.rate + 1.96 * rateError),
      },
      actual: known.actual,
    },
    steps: works.length,
    seen,
    isEstimate: true,
    method:
      `One attempt of ${id} at each of ${works.length} steps: what it cost on the ${seen} it really tried, and elsewhere its usual cost ` +
      `(from ${Math.round(agent.attempts)} attempts${agent.candidate.listMicroUsd === undefined ? "" : " and the price list"}), scaled by how dear the step was for who did it. ` +
      "An estimate with a 95 % interval; that it would have been right as often is not assumed, its own share is shown.",
  };
}

/** P(the step ended with a right result), from its last attempt. */
function endsRight(work: Work, usual: Known["usual"], gate: GateQuality): number {
  const last = work.attempts.at(-1);
  if (!last) return 0;
  if (last.accepted === false) return 0;
  if (last.right !== undefined) return Number(last.right);
  return last.accepted === undefined ? 0 : rightGiven(true, usual.get(last.agent)?.rate ?? 0.5, gate);
}
