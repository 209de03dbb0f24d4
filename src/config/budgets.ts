import { z } from "zod";
import type { Loading } from "./loading.ts";
import { Dollars } from "./yaml/fields.ts";
import { keyed } from "./yaml/shape-problems.ts";

/** How long a limit counts. */
const PERIODS = ["day", "week", "month", "ever"] as const;

/** Most that may be spent in each period, micro-dollars. */
export interface PeriodBudget {
  limit: number;
  per: (typeof PERIODS)[number];
}

/** What may be spent, micro-dollars. `undefined`: no limit. */
export interface BudgetsSettings {
  /** Of all runs of this home together; each of them counts. */
  fleet: readonly PeriodBudget[];
  /** Of the project's runs together; each of them counts. */
  project: readonly PeriodBudget[];
  run?: number | undefined;
  step?: number | undefined;
  attempt?: number | undefined;
}

const forPeriod = (whose: string) =>
  z
    .union([
      Dollars.transform((limit) => ({ usd: limit, per: "ever" as const })),
      keyed({ usd: Dollars, per: z.enum(PERIODS) }, { of: "a budget", synonyms: { limit: "usd", every: "per", period: "per" } }),
    ])
    .optional()
    .describe(`Most that ${whose} may spend, USD; with \`per\` in each day, week (from Monday) or month, of UTC`);

export const BudgetShape = keyed(
  {
    fleet: forPeriod("all runs of this machine together"),
    project: forPeriod("the project's runs together"),
    run: Dollars.optional().describe("Most that a run may spend, USD, where its pipeline says no less"),
    step: Dollars.optional().describe("Most that a step may spend over all its attempts, USD, where it says no less"),
    attempt: Dollars.optional().describe("Most that one attempt may spend, USD"),
  },
  { of: "budget", synonyms: { all: "fleet", total: "fleet", pipeline: "run", usd: "run" } },
);

/** Of both files the lower limit: a project that was cloned must not spend what its user did not allow. Limits of different periods both count. */
export function gatherBudgets(loading: Loading): BudgetsSettings {
  const least = (key: "run" | "step" | "attempt"): number | undefined => {
    let limit: number | undefined;
    for (const file of loading.files) {
      const own = file.settings.budget?.[key];
      if (own === undefined || (limit !== undefined && own >= limit)) continue;
      loading.origins[`budget.${key}`] = loading.originIn(file, ["budget", key]);
      limit = own;
    }
    return limit;
  };
  const periods = (key: "fleet" | "project"): PeriodBudget[] => {
    const limits = new Map<PeriodBudget["per"], number>();
    for (const file of loading.files) {
      const own = file.settings.budget?.[key];
      if (own === undefined) continue;
      const before = limits.get(own.per);
      if (before !== undefined && own.usd >= before) continue;
      loading.origins[`budget.${key}`] = loading.originIn(file, ["budget", key]);
      limits.set(own.per, own.usd);
    }
    return [...limits].map(([per, limit]) => ({ limit, per }));
  };
  return { fleet: periods("fleet"), project: periods("project"), run: least("run"), step: least("step"), attempt: least("attempt") };
}
