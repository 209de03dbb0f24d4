import type { RunState, StepState } from "../domain/index.ts";
import { RequestError } from "../setup/failure.ts";

/** A step by its whole path, or by an end of it that only one has. */
export function findStep(state: RunState, given: string): StepState {
  const exact = state.steps.get(given);
  if (exact) return exact;
  const fit = [...state.steps.values()].filter((s) => s.step.path.endsWith(`/${given}`));
  if (fit.length === 1 && fit[0]) return fit[0];
  const names = (steps: readonly StepState[]): string =>
    steps
      .slice(0, 10)
      .map((s) => s.step.path)
      .join(", ") + (steps.length > 10 ? ", ..." : "");
  if (fit.length > 1) throw new RequestError("USAGE", `${given} may be ${names(fit)}`, "Give more of the step's path.");
  throw new RequestError("STEP_UNKNOWN", `run ${state.runId} has no step ${given}`, `It has: ${names([...state.steps.values()])}.`);
}
