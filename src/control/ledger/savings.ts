import { savings, type Counterfactual } from "../../models/index.ts";
import type { Economics } from "./economics.ts";

/** Fewer judged steps than this, or attempts of an agent, carry no comparison. */
const ENOUGH_TO_COMPARE = 10;

/** What was saved against named other ways: estimates, and where the ledger cannot carry one, why. */
export type ToldSavings =
  | { kind: "too-little"; steps: number; needed: number }
  | { kind: "estimates"; spentMicroUsd: number; steps: number; counterfactuals: readonly ToldCounterfactual[]; missing: readonly string[] };

export interface ToldCounterfactual extends Omit<Counterfactual, "right"> {
  /** Attempts of this agent in the ledger. */
  attempts: number;
  /** Absent: the agent was tried too seldom to say how often it is right. */
  right?: Counterfactual["right"];
}

export function toldSavings({ rows, steps, candidates, learnt, premiumTier }: Economics): ToldSavings {
  if (steps < ENOUGH_TO_COMPARE) return { kind: "too-little", steps, needed: ENOUGH_TO_COMPARE };
  const found = savings(rows, candidates, learnt.gate, premiumTier);
  if (found.steps < ENOUGH_TO_COMPARE) return { kind: "too-little", steps: found.steps, needed: ENOUGH_TO_COMPARE };
  const tried = new Set(rows.map((row) => row.agent));
  const missing = [...found.missing];
  const counterfactuals = found.counterfactuals.flatMap(({ right, ...rest }): ToldCounterfactual[] => {
    if (rest.name === "best-single" && tried.size < 2) {
      missing.push(`best-single: ${rest.agent} is the only agent that was tried, and there is nothing to compare it with`);
      return [];
    }
    const attempts = rows.filter((row) => row.agent === rest.agent).length;
    return [{ ...rest, attempts, ...(attempts >= ENOUGH_TO_COMPARE ? { right } : {}) }];
  });
  return { kind: "estimates", spentMicroUsd: found.spent, steps: found.steps, counterfactuals, missing };
}
