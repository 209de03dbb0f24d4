import type { WorkStep } from "../../domain/index.ts";

/** What routing reads of an agent. */
export interface RoutableAgent {
  id: string;
  tier: string;
  capabilities: readonly string[];
  /** `shell` agents run command steps; every other executor takes prompts. */
  takesPrompts: boolean;
}

export interface Route {
  tier: string;
  /** Agent ids, the preferred one first. */
  candidates: string[];
  reasons: string[];
}

export type Routed = { ok: true; route: Route } | { ok: false; problem: string; hint: string };

/** What comes before the step's own word. */
export interface Assignment {
  /** To whom a person gave it. */
  agent?: string;
  /** From whom a person took it. */
  not: readonly string[];
  /** An attempt at this tier was stuck: one that is higher, where there is one. */
  above?: string;
}

/** From the cheapest up. */
const TIERS = ["free", "mid", "premium"];

/** The agent id that executes command steps. */
export const SHELL_AGENT = "shell";

/**
 * Which agents may do a step. Rules only: an id, a tier, capabilities, else the default agent. It does not yet choose by cost
 * or escalate for a refused gate (docs/status.md): a person's word and a stuck attempt apart, every attempt at a step is routed alike. Pure.
 */
export function routeStep(
  step: WorkStep,
  agents: readonly RoutableAgent[],
  defaultAgent: string | undefined,
  assigned?: Assignment,
): Routed {
  if (step.kind === "command")
    return { ok: true, route: { tier: "free", candidates: [SHELL_AGENT], reasons: ["a command step runs in the shell"] } };
  const { tier, capability } = step.agent;
  const id = assigned?.agent ?? (step.agent.id !== undefined && assigned?.not.includes(step.agent.id) ? undefined : step.agent.id);
  const able = agents.filter((a) => a.takesPrompts && !assigned?.not.includes(a.id));
  if (able.length === 0 && assigned && assigned.not.length > 0)
    return refuse(
      `step ${step.path} was taken from every agent that is registered`,
      "Give it to one: `stepfall reassign STEP --agent ID`.",
    );
  if (able.length === 0)
    return refuse(
      "no agent is registered",
      "Name a model: --model PROVIDER/MODEL, or agents in stepfall.yaml. `stepfall doctor` shows what was found.",
    );
  const higher = assigned?.agent === undefined && assigned?.above !== undefined ? escalated(able, capability, assigned.above) : undefined;
  if (higher) return { ok: true, route: higher };
  if (id !== undefined) {
    const agent = able.find((a) => a.id === id);
    if (!agent)
      return refuse(`step ${step.path} asks for agent ${id}, which is not registered`, `Registered: ${able.map((a) => a.id).join(", ")}.`);
    return {
      ok: true,
      route: {
        tier: agent.tier,
        candidates: [agent.id],
        reasons: [assigned?.agent === id ? `a person gave it to ${id}` : `the step names agent ${id}`],
      },
    };
  }
  const asked = tier !== undefined || capability.length > 0;
  const fit = able.filter((a) => (tier === undefined || a.tier === tier) && capability.every((c) => a.capabilities.includes(c)));
  if (asked) {
    const first = fit[0];
    const wish = [tier && `tier ${tier}`, ...capability.map((c) => `capability ${c}`)].filter(Boolean).join(" and ");
    if (!first)
      return refuse(
        `step ${step.path} asks for ${wish}, which no registered agent has`,
        `Registered: ${able.map((a) => `${a.id} (${a.tier})`).join(", ")}.`,
      );
    return {
      ok: true,
      route: {
        tier: first.tier,
        candidates: fit.filter((a) => a.tier === first.tier).map((a) => a.id),
        reasons: [`the step asks for ${wish}`],
      },
    };
  }
  const preferred = able.find((a) => a.id === defaultAgent) ?? able[0];
  if (!preferred) return refuse("no agent is registered", "`stepfall doctor` shows what was found.");
  return {
    ok: true,
    route: {
      tier: preferred.tier,
      candidates: [preferred.id],
      reasons: [preferred.id === defaultAgent ? "the default agent" : "the first agent registered"],
    },
  };
}

/** The agents of the next tier up that has some. `undefined`: there is none, and the step is routed as before. */
function escalated(able: readonly RoutableAgent[], capability: readonly string[], above: string): Route | undefined {
  for (const tier of TIERS.slice(TIERS.indexOf(above) + 1)) {
    const fit = able.filter((a) => a.tier === tier && capability.every((c) => a.capabilities.includes(c)));
    if (fit.length > 0) return { tier, candidates: fit.map((a) => a.id), reasons: [`an attempt at tier ${above} made no progress`] };
  }
  return undefined;
}

const refuse = (problem: string, hint: string): Routed => ({ ok: false, problem, hint });
