import type { BudgetScope } from "./events.ts";
import type { BudgetPause, RunState, StepState } from "./state.ts";

/** It holds all of the run, not one step. */
export const isWhole = (scope: BudgetScope): boolean => scope === "fleet" || scope === "project" || scope === "run";

/** Lifts a pause, and with it what waits in the inbox for it. */
export function goOn(state: RunState, id: string): void {
  const found = state.pauses.get(id);
  if (!found) return;
  state.pauses.delete(id);
  if (found.item !== undefined) state.inbox.delete(found.item);
  const s = state.steps.get(found.step);
  if (s?.paused === id) delete s.paused;
  const first = firstWhole(state);
  if (first) state.halted = first;
  else delete state.halted;
}

export const firstWhole = (state: RunState): BudgetPause | undefined => [...state.pauses.values()].find((p) => isWhole(p.scope));

/** Its account, or that of a group around it, cannot carry the next call. */
export function isPaused(state: RunState, s: StepState): boolean {
  if (state.pauses.size === 0) return false;
  for (let at: StepState | undefined = s; at; at = at.step.parent === undefined ? undefined : state.steps.get(at.step.parent))
    if (at.paused !== undefined) return true;
  return false;
}
