import { columnsOf, type Columns } from "./columns.ts";
import type { About, Candidate, CascadePart, CascadePlan, Estimate, GateQuality, Objective, SingleExpected } from "./contract.ts";
import { betaInterval } from "./beta.ts";
import { bestWithin, cheapestWith, frontier, pointOf, type Caution, type Share } from "./mix.ts";
import type { Outcomes } from "./outcomes.ts";
import { reasonsOf } from "./reasons.ts";
import { weigh, weighAll, type Rules, type Weighed } from "./weigh.ts";

export interface PlanOptions {
  about?: About | undefined;
  /** Most agents one after the other. Default 3. */
  depth?: number | undefined;
  /** An agent may try again after its own refusal. */
  mayRepeat?: boolean | undefined;
  /** The last agent's result is taken as it is; default false: the gate judges it too, and a step whose last attempt is refused is not done. */
  takesLast?: boolean | undefined;
  caution?: Caution | undefined;
}

/**
 * More right results must show by one standard error: the rule of that name for taking the simpler of two (Breiman et al. 1984). That a plan
 * costs no more than a budget is a promise, and is held at two; where the cost is what is made small, it is only a tie-break.
 */
const CAUTION: Record<Objective["kind"], Caution> = { "best-within": { right: 1, cost: 2 }, cheapest: { right: 1, cost: 0.5 } };

/** A single agent within this of the best is as good: 1 point. */
export const AS_GOOD = 0.01;

/** With fewer attempts than this at an agent, nothing is said about plans with it. */
export const ENOUGH_ATTEMPTS = 10;

/**
 * Which agents should try a step, one after the other, or one alone. Every sequence of up to `depth` agents is weighed; the answer is the best
 * mix of at most two of them (a linear programme with one constraint has such an optimum), or the reference alone where none beats it by more
 * than the doubt about it.
 */
export function planCascade(
  candidates: readonly Candidate[],
  outcomes: Outcomes,
  gate: GateQuality,
  objective: Objective,
  options: PlanOptions = {},
): CascadePlan {
  const { about, depth = 3, mayRepeat = false, takesLast = false, caution = CAUTION[objective.kind] } = options;
  const columns = columnsOf(candidates, outcomes, gate, about, objective.reference === undefined ? [] : [objective.reference]);
  const rules: Rules = { gate, takesLast };
  const singles = columns.rates.map((_, i) => weigh([i], i, columns, rules));
  const reference = referenceOf(objective, columns, singles);
  if (reference === undefined) return nothing(candidates, objective);
  const base = weigh([reference], reference, columns, rules);
  const eligible = columns.rates.flatMap((r, i) => (i === reference || r.attempts >= ENOUGH_ATTEMPTS ? [i] : []));
  const isKnown = (columns.rates[reference]?.attempts ?? 0) >= ENOUGH_ATTEMPTS && eligible.length > 1;
  const shares = isKnown
    ? choose(weighAll(eligible, depth, mayRepeat, reference, columns, rules), base, { objective, caution })
    : [{ share: 1, plan: base }];
  return describe(shares, base, { columns, rules, objective, gate, reference, isKnown, singles });
}

function choose(plans: readonly Weighed[], base: Weighed, { objective, caution }: { objective: Objective; caution: Caution }): Share[] {
  const hull = frontier(plans.map((plan) => pointOf(plan, caution)));
  const alone: Share[] = [{ share: 1, plan: base }];
  switch (objective.kind) {
    case "best-within": {
      const budget = objective.microUsd ?? base.microUsd;
      return bestWithin(hull, budget) ?? cheapestOf(hull.map((p) => p.plan)) ?? alone;
    }
    case "cheapest":
      return cheapestWith(hull, base.value) ?? alone;
    default:
      return objective satisfies never;
  }
}

const cheapestOf = (plans: readonly Weighed[]): Share[] | undefined => {
  const cheapest = [...plans].sort((a, b) => a.microUsd - b.microUsd)[0];
  return cheapest && [{ share: 1, plan: cheapest }];
};

/** The agent that would be used otherwise: a sensible single choice. */
function referenceOf(objective: Objective, columns: Columns, singles: readonly Weighed[]): number | undefined {
  const named = columns.rates.findIndex((r) => r.candidate.id === objective.reference);
  if (named !== -1) return named;
  const seen = singles.filter((s) => (columns.rates[s.agents[0] ?? 0]?.attempts ?? 0) >= ENOUGH_ATTEMPTS);
  const among = seen.length > 0 ? seen : singles;
  const best = Math.max(...among.map((s) => s.value));
  const asGood = among.filter((s) => s.value >= best - (objective.kind === "cheapest" ? 0 : AS_GOOD));
  return asGood.sort((a, b) => a.microUsd - b.microUsd)[0]?.agents[0];
}

interface Described {
  columns: Columns;
  rules: Rules;
  objective: Objective;
  gate: GateQuality;
  reference: number;
  isKnown: boolean;
  singles: readonly Weighed[];
}

const around = (mean: number, error: number, most = Number.POSITIVE_INFINITY): Estimate => ({
  mean,
  low: Math.max(0, mean - 1.96 * error),
  high: Math.min(most, mean + 1.96 * error),
});
const money = ({ mean, low, high }: Estimate): Estimate => ({ mean: Math.round(mean), low: Math.round(low), high: Math.round(high) });
const difference = (mean: number, error: number): Estimate => ({ mean, low: mean - 1.96 * error, high: mean + 1.96 * error });

function describe(shares: readonly Share[], base: Weighed, context: Described): CascadePlan {
  const { columns, rules, objective, gate, reference, isKnown, singles } = context;
  const sum = (of: (plan: Weighed) => number): number => shares.reduce((total, s) => total + s.share * of(s.plan), 0);
  const id = (agent: number): string => columns.rates[agent]?.candidate.id ?? "";
  const parts: CascadePart[] = shares.map((s) => ({ share: s.share, agents: s.plan.agents.map(id) }));
  const isCascade = parts.some((p) => p.agents.length > 1);
  const plan: Omit<CascadePlan, "reasons"> = {
    verdict: isKnown ? (isCascade ? "cascade" : "single") : "unknown",
    parts,
    expected: {
      microUsd: money(
        around(
          sum((p) => p.microUsd),
          sum((p) => p.ownMicroUsdError),
        ),
      ),
      right: around(
        sum((p) => p.right),
        sum((p) => p.ownRightError),
        1,
      ),
      wrong: sum((p) => p.wrong),
    },
    gain: {
      right: difference(
        sum((p) => p.right) - base.right,
        sum((p) => p.valueError),
      ),
      microUsd: money(
        difference(
          sum((p) => p.microUsd) - base.microUsd,
          sum((p) => p.microUsdError),
        ),
      ),
    },
    reference: id(reference),
    singles: singles.map((s) => single(s, columns, rules)).sort((a, b) => a.microUsd.mean / a.right.mean - b.microUsd.mean / b.right.mean),
    jointWork: Math.min(...shares.map((s) => s.plan.joint)),
  };
  return { ...plan, reasons: reasonsOf(plan, objective, gate, isKnown) };
}

function single(weighed: Weighed, columns: Columns, rules: Rules): SingleExpected {
  const rates = columns.rates[weighed.agents[0] ?? 0];
  const keeps = rules.takesLast === true ? 1 : 1 - rules.gate.falseRefuse;
  const interval = rates ? betaInterval(rates.a, rates.b, 0.95) : { low: 0, high: 1 };
  return {
    agent: rates?.candidate.id ?? "",
    tier: rates?.candidate.tier ?? "",
    attempts: Math.round(rates?.attempts ?? 0),
    microUsd: money(around(weighed.microUsd, weighed.ownMicroUsdError)),
    right: { mean: weighed.right, low: interval.low * keeps, high: interval.high * keeps },
    wrong: weighed.wrong,
  };
}

/** No candidate has a price or an attempt. */
function nothing(candidates: readonly Candidate[], objective: Objective): CascadePlan {
  const none: Estimate = { mean: 0, low: 0, high: 0 };
  const reference = objective.reference ?? candidates[0]?.id ?? "";
  return {
    verdict: "unknown",
    parts: reference === "" ? [] : [{ share: 1, agents: [reference] }],
    expected: { microUsd: none, right: { mean: 0, low: 0, high: 1 }, wrong: 0 },
    gain: { right: none, microUsd: none },
    reference,
    singles: [],
    reasons: ["No attempt of these agents is in the ledger, and none has a price: nothing can be said."],
    jointWork: 0,
  };
}
