import type { AttemptState, RunState, StepState } from "../../domain/index.ts";
import { ControlError } from "../errors.ts";

/** An attempt by its id, with its step. */
export function findAttempt(state: RunState, id: string): { attempt: AttemptState; of: StepState } {
  for (const of of state.steps.values()) {
    const attempt = of.attempts.find((a) => a.id === id);
    if (attempt) return { attempt, of };
  }
  throw new ControlError("ATTEMPT_UNKNOWN", `run ${state.runId} has no attempt ${id}`, "`stepfall show` lists its attempts.");
}
