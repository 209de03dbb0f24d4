import type { BudgetScope } from "./events.ts";
import { parseAttemptId } from "./ids.ts";
import type { MicroUsd } from "./money.ts";

/**
 * Budgets are a tree: fleet (all runs of a home) > project > run > step (a group is a step) > attempt. Each has an account that calls are
 * charged to, named by an id: `fleet:day/2026-11-21`, `project:KEY:ever`, `run:RUN`, `step:RUN/PATH`, `attempt:RUN/PATH#N`. A call is charged
 * to all it belongs to, whether these have a limit or not.
 */

/** How long a limit of the fleet or of a project counts. Days, weeks (from Monday) and months are those of UTC. */
export const BUDGET_PERIODS = ["day", "week", "month", "ever"] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** Most that may be spent in each period. */
export interface PeriodLimit {
  limit: MicroUsd;
  per: BudgetPeriod;
}

const DAY_MS = 86_400_000;

/** When the period of `at` began, epoch ms. */
export function periodStart(per: BudgetPeriod, at: number): number {
  const day = Math.floor(at / DAY_MS);
  switch (per) {
    case "day":
      return day * DAY_MS;
    case "week":
      // Day 0 was a Thursday.
      return (day - ((((day + 3) % 7) + 7) % 7)) * DAY_MS;
    case "month": {
      const date = new Date(at);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
    case "ever":
      return 0;
    default:
      return per satisfies never;
  }
}

/** When it ends; `undefined`: never. */
export function periodEnd(per: BudgetPeriod, at: number): number | undefined {
  const start = periodStart(per, at);
  switch (per) {
    case "day":
      return start + DAY_MS;
    case "week":
      return start + 7 * DAY_MS;
    case "month": {
      const date = new Date(start);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    }
    case "ever":
      return undefined;
    default:
      return per satisfies never;
  }
}

/** Account of a period. `of`: `fleet`, or `project:KEY`. */
export const periodBudgetId = (of: string, per: BudgetPeriod, at: number): string =>
  per === "ever" ? `${of}:ever` : `${of}:${per}/${new Date(periodStart(per, at)).toISOString().slice(0, 10)}`;

export const runBudgetId = (runId: string): string => `run:${runId}`;
export const stepBudgetId = (runId: string, path: string): string => `step:${runId}/${path}`;
export const attemptBudgetId = (attempt: string): string => `attempt:${attempt}`;

const PERIODIC = /^(fleet|project:[^:]+):(?:(day|week|month)\/(\d{4}-\d\d-\d\d)|ever)$/;

export interface BudgetAccount {
  scope: BudgetScope;
  /** Of a step's account and of an attempt's: the step's path. */
  step?: string;
  attempt?: string;
  /** Of the fleet's and of projects': the journal's stream that holds their raises. */
  stream?: string;
  per?: BudgetPeriod;
  /** When its period ends, epoch ms. */
  until?: number;
}

/** What an account is for; `undefined` when it is none. */
export function parseBudgetId(id: string): BudgetAccount | undefined {
  const periodic = PERIODIC.exec(id);
  if (periodic) {
    const [, stream = "", per, from] = periodic;
    const scope = stream === "fleet" ? "fleet" : "project";
    if (per === undefined || from === undefined) return { scope, stream, per: "ever" };
    const until = periodEnd(per as BudgetPeriod, Date.parse(from));
    return { scope, stream, per: per as BudgetPeriod, ...(until === undefined ? {} : { until }) };
  }
  const [kind, rest] = splitOnce(id, ":");
  if (rest === undefined) return undefined;
  if (kind === "run") return { scope: "run" };
  if (kind === "step") return { scope: "step", step: splitOnce(rest, "/")[1] ?? "" };
  if (kind !== "attempt") return undefined;
  return { scope: "attempt", attempt: rest, step: parseAttemptId(rest)?.stepPath ?? "" };
}

/** The account that a call at `now` is charged to, where a limit was agreed on for an account of an earlier period. */
export function currentBudgetId(id: string, now: number): string {
  const [, of, per] = PERIODIC.exec(id) ?? [];
  return of === undefined || per === undefined ? id : periodBudgetId(of, per as BudgetPeriod, now);
}

/** Whose limit each attempt brings along, since projects may narrow it each for itself. */
export const isPeriodic = (id: string): boolean => PERIODIC.test(id);

/** All accounts that a call is charged to, with a limit or without. `project`: its key. */
export function accountsOf(call: { runId: string; attempt: string; project?: string | undefined; at: number }): string[] {
  const shared = ["fleet", ...(call.project === undefined ? [] : [`project:${call.project}`])];
  const steps: string[] = [];
  const path = parseAttemptId(call.attempt)?.stepPath.split("/") ?? [];
  for (let i = 1; i <= path.length; i++) steps.push(stepBudgetId(call.runId, path.slice(0, i).join("/")));
  return [
    ...shared.flatMap((of) => BUDGET_PERIODS.map((per) => periodBudgetId(of, per, call.at))),
    runBudgetId(call.runId),
    ...steps,
    attemptBudgetId(call.attempt),
  ];
}

function splitOnce(text: string, by: string): [string, string?] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
