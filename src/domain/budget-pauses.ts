import { attemptBudgetId, parseBudgetId, runBudgetId, stepBudgetId } from "./budgets.ts";
import type { EventData } from "./events.ts";
import { formatUsd, type MicroUsd } from "./money.ts";
import { firstWhole, goOn, isWhole } from "./lift-pause.ts";
import { currentAttempt, type BudgetPause, type InboxItem, type RunState, type StepState } from "./state.ts";
import { isOver } from "./steps.ts";

/**
 * What a budget that cannot carry the next call does to a run. The account's part of the run pauses, an item opens in the inbox, and it goes on
 * when somebody raises the limit, asks for a cheaper tier, or stops it; or when the limit's period is over. Parts of the fold.
 */

export function pause(state: RunState, data: EventData<"BudgetExhausted">): void {
  const step = data.step ?? [...state.steps.values()].find((s) => !isOver(s))?.step.path;
  const s = step === undefined ? undefined : state.steps.get(step);
  const id = data.id ?? (data.scope === "run" ? runBudgetId(state.runId) : stepBudgetId(state.runId, data.step ?? ""));
  if (!s || (isOver(s) && !isWhole(data.scope))) return;
  // Raised while the call was on its way.
  const now = limitNow(state, id, s, data.limit);
  if (now !== undefined && now > data.limit) return;
  const before = state.pauses.get(id);
  const { limit, spent, needed } = data;
  const until = parseBudgetId(id)?.until;
  state.pauses.set(id, {
    id,
    scope: data.scope,
    step: before?.step ?? s.step.path,
    limit,
    spent: Math.max(spent, before?.spent ?? 0),
    ...(needed === undefined ? {} : { needed: Math.max(needed, before?.needed ?? 0) }),
    ...(until === undefined ? {} : { until }),
    ...(before?.item === undefined ? {} : { item: before.item }),
  });
  if (isWhole(data.scope)) state.halted = firstWhole(state);
  else s.paused = id;
}

/**
 * The limit as this run knows it, where it was `limit` for a call. Of what many runs share a raise counts for the limit it was given for: one that the
 * settings say since then is spent as they say, else its attempts would begin and end without a pause, over and over.
 */
function limitNow(state: RunState, id: string, s: StepState, limit: MicroUsd): MicroUsd | undefined {
  const scope = parseBudgetId(id)?.scope;
  if (scope === "run") return state.budget;
  if (scope === "step") return state.stepBudgets.get(s.step.path);
  return scope === "attempt" ? s.attemptBudget : state.raisedBudgets.get(raiseOf(id, limit));
}

const raiseOf = (id: string, from: MicroUsd | undefined): string => `${id} over ${from}`;

export function raise(state: RunState, data: EventData<"BudgetRaised">): void {
  const { scope, limit } = data;
  const s = data.step === undefined ? undefined : state.steps.get(data.step);
  switch (scope) {
    case "run":
      state.budget = limit;
      return goOn(state, runBudgetId(state.runId));
    case "step":
      if (!s) return;
      delete s.budgetSpent;
      state.stepBudgets.set(s.step.path, limit);
      return goOn(state, stepBudgetId(state.runId, s.step.path));
    case "attempt":
      if (!s) return;
      s.attemptBudget = limit;
      if (s.paused?.startsWith(attemptBudgetId(""))) goOn(state, s.paused);
      return;
    case "fleet":
    case "project":
      if (data.id === undefined) return;
      state.raisedBudgets.set(raiseOf(data.id, data.from), limit);
      return goOn(state, data.id);
    default:
      scope satisfies never;
  }
}

/** What people may say to a budget that is spent. */
export type BudgetAnswer = { kind: "raise"; by?: MicroUsd } | { kind: "cheaper" } | { kind: "stop" };

/** `raise`, `raise 2.50`, `cheaper` or `stop`; `undefined`: none of them. */
export function parseBudgetAnswer(text: string): BudgetAnswer | undefined {
  const [, word, amount] = /^\s*(raise|cheaper|stop)(?:\s+(?:by\s+)?\$?(\d{1,9}(?:\.\d{1,6})?))?\s*$/i.exec(text) ?? [];
  const kind = word?.toLowerCase();
  if (kind === "raise") {
    const by = amount === undefined ? undefined : Math.round(Number(amount) * 1e6);
    return by === 0 ? undefined : { kind, ...(by === undefined ? {} : { by }) };
  }
  return (kind === "cheaper" || kind === "stop") && amount === undefined ? { kind } : undefined;
}

const STEP: MicroUsd = 100;

/** A raise that carries what was refused, rounded up to a hundredth of a cent; twice the limit where nobody said what that was. */
export function suggestedRaise({ limit, spent, needed }: Pick<BudgetPause, "limit" | "spent" | "needed">): MicroUsd {
  const used = Math.max(limit, spent);
  return Math.max(STEP, Math.ceil((used + (needed ?? used)) / STEP) * STEP - limit);
}

/** The raise that an answer asks for, as the event that carries it out. */
export function raiseFor(pause: BudgetPause, by: MicroUsd | undefined, who: string): EventData<"BudgetRaised"> {
  const { id, scope, step, limit } = pause;
  const isOfStep = scope === "step" || scope === "attempt";
  return { scope, id, ...(isOfStep ? { step } : {}), from: limit, limit: limit + (by ?? suggestedRaise(pause)), by: who };
}

/** Why an answer to a spent budget does not count; `undefined` when it does. */
export function whyNoBudgetAnswer(item: InboxItem, answer: { verdict: string; text?: string | undefined }): string | undefined {
  const said = answer.verdict === "answer" ? parseBudgetAnswer(answer.text ?? "") : undefined;
  const forms = item.choices.includes("cheaper") ? '"raise", "raise 2.50", "cheaper" or "stop"' : '"raise", "raise 2.50" or "stop"';
  if (!said) return `it is a spent budget: the answer is ${forms}`;
  if (said.kind === "cheaper" && !item.choices.includes("cheaper")) return `there is no cheaper tier: the answer is ${forms}`;
  return undefined;
}

/** `cheaper` and `stop` of a step are carried out here; a raise by BudgetRaised and the stop of a run by CancelRequested, recorded with the answer. */
export function takeBudgetAnswer(state: RunState, item: InboxItem, by: string, text: string): void {
  const found = [...state.pauses.values()].find((p) => p.item === item.item);
  const said = parseBudgetAnswer(text);
  if (!found || !said) return;
  if (said.kind === "cheaper") {
    const whole = isWhole(found.scope);
    for (const s of whole ? state.steps.values() : [state.steps.get(found.step)]) if (s) goBelow(state, s, tierOf(state, found));
    goOn(state, found.id);
  } else if (said.kind === "stop" && !isWhole(found.scope)) {
    const s = state.steps.get(found.step);
    goOn(state, found.id);
    if (!s) return;
    s.budgetSpent = { limit: found.limit, spent: found.spent, by };
    if (s.group && s.status === "active" && s.group.open > 0) state.failing.add(s.step.path);
  }
}

/** The tier that the paused account's last attempt was at. Of a group: of its steps' last. */
export function tierOf(state: RunState, { step }: Pick<BudgetPause, "step">): string | undefined {
  const s = state.steps.get(step);
  const own = s && currentAttempt(s)?.tier;
  if (own !== undefined) return own;
  let last: { tier: string; routedAt: number } | undefined;
  for (const [path, { attempts }] of state.steps) {
    const a = attempts.at(-1);
    if (path.startsWith(`${step}/`) && a && a.routedAt >= (last?.routedAt ?? 0)) last = a;
  }
  return last?.tier;
}

/** Further attempts go below the tier, those of a group's steps too. */
function goBelow(state: RunState, s: StepState, tier: string | undefined): void {
  if (tier === undefined || isOver(s)) return;
  s.below = tier;
  // What was tried above is no measure for what is cheaper.
  delete s.above;
  for (const child of s.group?.children ?? []) {
    const c = state.steps.get(child);
    if (c) goBelow(state, c, tier);
  }
}

/** Of accounts, for people: `the budget of step fix`. */
export function budgetName(id: string): string {
  const account = parseBudgetId(id);
  if (!account) return `the budget ${id}`;
  const per = account.per === undefined || account.per === "ever" ? "" : ` for this ${account.per}`;
  switch (account.scope) {
    case "fleet":
      return `the budget of all runs${per}`;
    case "project":
      return `the budget of the project${per}`;
    case "run":
      return "the budget of the run";
    case "step":
      return `the budget of step ${account.step}`;
    case "attempt":
      return `the budget of attempt ${account.attempt?.slice(account.attempt.indexOf("/") + 1)}`;
    default:
      return account.scope satisfies never;
  }
}

export const pauseText = ({ limit, spent, needed }: BudgetPause): string =>
  `${formatUsd(spent)} of ${formatUsd(limit)} is spent, and the next call ${needed === undefined ? "may cost more than is left" : `may cost up to ${formatUsd(needed)}`}`;
