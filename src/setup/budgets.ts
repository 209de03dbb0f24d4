import type { BudgetsSettings } from "../config/index.ts";
import type { Pipeline } from "../domain/index.ts";

/** A pipeline may narrow what the settings let a run spend. What a person says for one run (`--budget`) comes before both, and not through here. */
export function withinSettings(pipeline: Pipeline, { run }: BudgetsSettings): Pipeline {
  return run === undefined ? pipeline : { ...pipeline, budget: Math.min(run, pipeline.budget ?? run) };
}

/** Whether they limit anything, whatever a pipeline says. */
export const limitsAnything = ({ fleet, project, run, step, attempt }: BudgetsSettings): boolean =>
  fleet.length + project.length > 0 || run !== undefined || step !== undefined || attempt !== undefined;
