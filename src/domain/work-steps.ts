import type { AgentStep, GroupBody, Step, WorkStep } from "./pipeline.ts";

/** Every step that agents or a shell may have to carry out, those inside groups too (as templates: one for all its children). */
export function* workSteps(steps: readonly Step[]): Generator<WorkStep> {
  for (const step of steps) {
    if (step.kind === "agent" || step.kind === "command") yield step;
    else if (step.kind === "group") yield* workSteps(stepsInside(step.body));
  }
}

/** Steps that stand for all of a group's children; of a best-of step one for each candidate. */
export function stepsInside(body: GroupBody): readonly Step[] {
  switch (body.kind) {
    case "each":
      return [body.step];
    case "best-of":
      return body.candidates.map((candidate, i) => ({
        ...body.step,
        path: `${body.step.path}/${i + 1}`,
        agent: agentOf(body.step, candidate),
      }));
    case "pipeline":
      return body.pipeline.steps;
    default:
      return body satisfies never;
  }
}

/** What the step says of its agent, but for what the candidate says instead. */
export function agentOf({ agent }: AgentStep, { id, tier }: { id?: string | undefined; tier?: string | undefined }): AgentStep["agent"] {
  if (id === undefined && tier === undefined) return agent;
  const { capability } = agent;
  return { capability, ...(id === undefined ? {} : { id }), ...(tier === undefined ? {} : { tier }) };
}

/** Every best-of step, those inside groups too. */
export function* bestOfSteps(steps: readonly Step[]): Generator<{ path: string; body: BestOf }> {
  for (const { path, ...step } of steps) {
    if (step.kind !== "group") continue;
    if (step.body.kind === "best-of") yield { path, body: step.body };
    else yield* bestOfSteps(stepsInside(step.body));
  }
}

export type BestOf = Extract<GroupBody, { kind: "best-of" }>;
