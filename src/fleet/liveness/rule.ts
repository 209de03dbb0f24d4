import { stuckByDefault, type Stuck, type WorkStep } from "../../domain/index.ts";
import { defaultLimits, type LivenessLimits } from "./seen.ts";

/** What is done with an attempt at the step that is stuck. `undefined`: nothing, its timeout ends it. */
export const stuckRule = (step: Pick<WorkStep, "kind" | "stuck">): Stuck | undefined =>
  step.stuck ?? (step.kind === "agent" ? stuckByDefault : undefined);

/** The limits of the step. One that is never stopped for being stuck is told to be by the default all the same. */
export function limitsFor(step: Pick<WorkStep, "kind" | "stuck">): LivenessLimits {
  const silenceMs = (stuckRule(step) ?? stuckByDefault).afterMs;
  // What was long enough ago to be stuck does not happen now.
  return { ...defaultLimits, silenceMs, activeMs: Math.min(defaultLimits.activeMs, silenceMs) };
}
