import { isOver, type RunState, type StepState } from "../../domain/index.ts";

export interface Phase {
  name: string;
  /** Its steps, those of its groups too. */
  steps: readonly StepState[];
  /** All of them are over. */
  isOver: boolean;
}

/** The phase a step belongs to: its own, or that of the group it is in. */
function phaseOf(state: RunState, s: StepState): string | undefined {
  for (let at: StepState | undefined = s; at; at = at.step.parent === undefined ? undefined : state.steps.get(at.step.parent))
    if (at.declared.phase !== undefined) return at.declared.phase;
  return undefined;
}

/** In the order of the pipeline. */
export function phasesOf(state: RunState): Phase[] {
  const steps = Map.groupBy(state.steps.values(), (s) => phaseOf(state, s));
  return [...steps].flatMap(([name, all]) => (name === undefined ? [] : [{ name, steps: all, isOver: all.every(isOver) }]));
}
