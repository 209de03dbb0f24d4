import { stepsInside, type Pipeline, type Step, type WorkStep } from "../../domain/index.ts";
import { expandGroup, type Scope } from "../../pipeline/index.ts";

/** The steps of a run that is to come, as far as they can be known before it. */
export interface PlannedSteps {
  steps: readonly WorkStep[];
  /** What could not be known, for people. */
  notes: readonly string[];
}

/** Groups are expanded where their lists depend on nothing but inputs; of the others each step counts once. Pure. */
export function plannedSteps(pipeline: Pipeline, inputs: Readonly<Record<string, unknown>>): PlannedSteps {
  const notes: string[] = [];
  const walk = (step: Step, scopeInputs: Scope["inputs"]): WorkStep[] => {
    switch (step.kind) {
      case "agent":
      case "command":
        if (step.if !== undefined || step.when === "failed")
          notes.push(`${step.path} runs only on a condition, and is counted as if it ran.`);
        if (step.gates.some((gate) => gate.kind === "judge")) notes.push(`What the judges of ${step.path} ask is not in the figures.`);
        return [step];
      case "approve":
      case "ask":
        return [];
      case "group": {
        const { body } = step;
        const expanded = expandGroup(step, { inputs: scopeInputs, steps: {}, run: { id: "", branch: "" } }, 1);
        if (body.kind === "best-of") {
          if (body.judging) notes.push(`What the judges of ${step.path} ask is not in the figures.`);
          return stepsInside(body).flatMap((child, i) => walk({ ...child, path: `${step.path}/${i + 1}` }, scopeInputs));
        }
        if (body.kind === "pipeline" && body.repeat)
          notes.push(`${step.path} is counted once; it may be done up to ${body.repeat.most} times.`);
        if (expanded.ok) return expanded.children.flatMap((child) => walk(child, expanded.inputs ?? scopeInputs));
        if (body.kind === "each") {
          notes.push(`How many steps ${step.path} has is known only when it runs; one is counted.`);
          return walk(body.step, scopeInputs);
        }
        notes.push(`What ${step.path} is given is known only when it runs.`);
        return body.pipeline.steps.flatMap((child) => walk({ ...child, path: `${step.path}/${child.path}` }, {}));
      }
      default:
        return step satisfies never;
    }
  };
  return { steps: pipeline.steps.flatMap((step) => walk(step, inputs)), notes };
}
