import { budgetName, pauseText, suggestedRaise, tierOf } from "./budget-pauses.ts";
import { record, stepOf, withAttempt, type Decision } from "./decision.ts";
import { inboxItemId } from "./ids.ts";
import { isPaused } from "./lift-pause.ts";
import type { BudgetPause, RunState } from "./state.ts";

/** Asks about budgets that are spent, and goes on with those whose period is over. Answers when the next period ends, epoch ms. */
export function askForBudgets(state: RunState, now: number, out: Decision[]): number {
  let wakeAt = Infinity;
  const opened = new Map<string, number>();
  for (const pause of state.pauses.values()) {
    if (pause.until !== undefined && now >= pause.until) out.push(record("BudgetLifted", { id: pause.id, because: "its period is over" }));
    else {
      wakeAt = Math.min(wakeAt, pause.until ?? Infinity);
      if (pause.item !== undefined) continue;
      const n = (opened.get(pause.step) ?? 0) + 1;
      opened.set(pause.step, n);
      out.push(openBudgetItem(state, pause, n));
    }
  }
  return wakeAt;
}

/** The first choice raises the limit by as much as the refused call needs. */
function openBudgetItem(state: RunState, pause: BudgetPause, n: number): Decision {
  const name = budgetName(pause.id);
  const stop = pause.scope === "step" || pause.scope === "attempt" ? "fails the step" : "ends the run";
  return record("InboxOpened", {
    item: inboxItemId(state.runId, pause.step, stepOf(state, pause.step).items + n),
    step: pause.step,
    kind: "budget",
    budget: pause.id,
    title: `${name} cannot carry the next call: ${pauseText(pause)}`,
    detail: `"raise AMOUNT" adds USD to the limit${hasCheaper(state, pause) ? ', "cheaper" goes on with a cheaper tier' : ""}, "stop" ${stop}.`,
    choices: [`raise ${suggestedRaise(pause) / 1e6}`, ...(hasCheaper(state, pause) ? ["cheaper"] : []), "stop"],
    who: [],
    count: 1,
  });
}

/** It runs commands and takes no prompts. */
const SHELL = "shell";

function hasCheaper(state: RunState, pause: BudgetPause): boolean {
  const rank = (tier: string | undefined): number => state.tiers.indexOf(tier ?? "");
  const at = rank(tierOf(state, pause));
  return state.agents.some((a) => a.id !== SHELL && rank(a.tier) >= 0 && rank(a.tier) < at);
}

/** What nobody has started yet of a paused group would only find out the same. */
export function withdrawPaused(state: RunState, out: Decision[]): void {
  for (const path of state.queued)
    if (isPaused(state, stepOf(state, path)))
      withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because: "its budget is spent" }));
}
