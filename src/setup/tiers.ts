import { resolveTier, unknownTier } from "../config/index.ts";
import type { AgentStep, Pipeline, Step } from "../domain/index.ts";
import { RequestError } from "./failure.ts";

/**
 * The pipeline with the project's tiers: `weak`, `base` and `strong` become the tier at that place, so that a run's log names tiers that are.
 * Throws UNKNOWN_TIER, with the step, for a tier that the project does not have.
 */
export function withTiers(pipeline: Pipeline, tiers: readonly string[]): Pipeline {
  return { ...pipeline, steps: pipeline.steps.map((step) => tiered(step, tiers)) };
}

function tiered(step: Step, tiers: readonly string[]): Step {
  const resolve = (name: string): string => {
    const tier = resolveTier(name, tiers);
    if (tier !== undefined) return tier;
    const { message, hint } = unknownTier(name, tiers);
    throw new RequestError("UNKNOWN_TIER", `step ${step.path}: ${message}`, `${hint}. \`tiers\` in stepfall.yaml names them.`);
  };
  switch (step.kind) {
    case "agent":
      return tieredAgent(step, resolve);
    case "group": {
      const { body } = step;
      if (body.kind === "each") return { ...step, body: { ...body, step: tiered(body.step, tiers) } };
      if (body.kind === "best-of") {
        const candidates = body.candidates.map((c) => (c.tier === undefined ? c : { ...c, tier: resolve(c.tier) }));
        return { ...step, body: { ...body, step: tieredAgent(body.step, resolve), candidates } };
      }
      return { ...step, body: { ...body, pipeline: withTiers(body.pipeline, tiers) } };
    }
    case "command":
    case "approve":
    case "ask":
      return step;
    default:
      return step satisfies never;
  }
}

function tieredAgent(step: AgentStep, resolve: (name: string) => string): AgentStep {
  const { agent, escalate } = step;
  return {
    ...step,
    ...(agent.tier === undefined ? {} : { agent: { ...agent, tier: resolve(agent.tier) } }),
    ...(typeof escalate === "object" ? { escalate: tieredClimb(escalate, resolve) } : {}),
  };
}

function tieredClimb(climb: Exclude<AgentStep["escalate"], false | undefined>, resolve: (name: string) => string): typeof climb {
  const { entry, ceiling, attempts } = climb;
  return {
    ...(entry === undefined ? {} : { entry: resolve(entry) }),
    ...(ceiling === undefined ? {} : { ceiling: resolve(ceiling) }),
    ...(attempts === undefined ? {} : { attempts: typeof attempts === "number" ? attempts : renamed(attempts, resolve) }),
  };
}

const renamed = (attempts: Readonly<Record<string, number>>, resolve: (name: string) => string): Record<string, number> =>
  Object.fromEntries(Object.entries(attempts).map(([tier, n]) => [resolve(tier), n]));
