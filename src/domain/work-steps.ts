import type { Step, WorkStep } from "./pipeline.ts";

/** Every step that agents or a shell may have to carry out, those inside groups too (as templates: one for all its children). */
export function* workSteps(steps: readonly Step[]): Generator<WorkStep> {
  for (const step of steps) {
    if (step.kind === "agent" || step.kind === "command") yield step;
    else if (step.kind === "group") yield* workSteps(step.body.kind === "each" ? [step.body.step] : step.body.pipeline.steps);
  }
}
