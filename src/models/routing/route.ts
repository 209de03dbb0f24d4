import type { AgentStep, WorkStep } from "../../domain/index.ts";
import { climb, climbByDefault, policyFor, type EscalationPolicy, type Reached } from "./climb.ts";
import { matchRule, type RoutingRule } from "./rules.ts";

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
  /** Kind of work it was taken for; command steps have none. */
  type?: string;
  /** 1 to 10, where it was looked at. */
  complexity?: number;
  /** The tier before, when results of it were refused. */
  escalatedFrom?: string;
  /** Agents that later attempts may go to, beside the candidates. */
  later: string[];
}

export type Routed = { ok: true; route: Route } | { ok: false; problem: string; hint: string };

/** What comes before the step's own word, and what became of its attempts. */
export interface Assignment {
  /** To whom a person gave it. */
  agent?: string;
  /** From whom a person took it. */
  not: readonly string[];
  /** An attempt at this tier was stuck: one that is higher, where there is one. */
  above?: string;
  /** A person chose a cheaper tier than this one. */
  below?: string;
  /** The tier it is at, and how many tries there were no good. */
  reached?: Reached;
}

/** Tiers that may do a step, and who would there. */
export interface TierOption {
  tier: string;
  agents: readonly string[];
}

/** Which tier to begin with. */
export interface TierStart {
  tier: string;
  /** Its agents, the preferred one first. */
  agents: readonly string[];
  reasons: readonly string[];
  complexity?: number;
}

export interface RoutingContext {
  /** Cheapest first. */
  tiers: readonly string[];
  defaultAgent?: string | undefined;
  rules?: readonly RoutingRule[];
  policy?: EscalationPolicy;
  /** What kind of work a step is; absent: `other` unless the step says so. */
  typeOf?: (step: AgentStep) => string;
  /** Chooses where several tiers may do it and nobody has said which. Absent: the lowest. */
  chooseEntry?: (step: AgentStep, options: readonly TierOption[]) => TierStart | undefined;
}

/** The agent id that executes command steps. */
export const SHELL_AGENT = "shell";

/**
 * Which agents may do a step's next attempt. In this order: a person's word, the project's rules, the step's own word, the default agent, and the
 * entry tier that promises the cheapest accepted result. After results that were no good the next attempt goes one tier up. Pure.
 */
export function routeStep(
  step: WorkStep,
  agents: readonly RoutableAgent[],
  context: RoutingContext,
  assigned: Assignment = { not: [] },
): Routed {
  if (step.kind === "command")
    return { ok: true, route: { tier: "free", candidates: [SHELL_AGENT], reasons: ["a command step runs in the shell"], later: [] } };
  const type = step.type ?? context.typeOf?.(step) ?? "other";
  const routed = routePrompt(step, type, agents, context, assigned);
  return routed.ok ? { ok: true, route: { ...routed.route, type } } : routed;
}

function routePrompt(
  step: AgentStep,
  type: string,
  agents: readonly RoutableAgent[],
  context: RoutingContext,
  assigned: Assignment,
): Routed {
  const able = agents.filter((a) => a.takesPrompts && !assigned.not.includes(a.id));
  if (able.length === 0) return assigned.not.length > 0 ? takenFromAll(step) : nobody();
  if (assigned.agent !== undefined) return named(step, able, assigned.agent, `a person gave it to ${assigned.agent}`);

  const rule = matchRule(context.rules ?? [], step, type);
  const wish = wishOf(step, rule?.use, assigned);
  const why = rule && `rule ${rule.n} of the project (${rule.because})`;
  const policy = policyFor(step, context.policy ?? climbByDefault);
  const isPinned = wish.id !== undefined && typeof step.escalate !== "object";

  const fit = able.filter((a) => wish.capability.every((c) => a.capabilities.includes(c)));
  const options = optionsOf(fit, context.tiers, policy.ceiling, assigned.below);
  const there = options.map((o) => o.tier);
  const climbs = isPinned ? { ...policy, escalate: false } : policy;
  const next = climb(there, context.tiers, climbs, assigned);
  if (next) {
    const { agents: candidates = [] } = options.find((o) => o.tier === next.tier) ?? {};
    const isSame = wish.id !== undefined && candidates.includes(wish.id);
    return {
      ok: true,
      route: {
        tier: next.tier,
        candidates: isSame && wish.id !== undefined ? [wish.id] : [...candidates],
        reasons: next.because === undefined ? [] : [next.because],
        ...(next.from === undefined ? {} : { escalatedFrom: next.from }),
        later: laterIn(options, next.tier, context.tiers),
      },
    };
  }
  const entry = entryOf(step, { able, fit, options, wish, why, policy: climbs, context, below: assigned.below });
  if (!entry.ok || !climbs.escalate) return entry;
  return { ok: true, route: { ...entry.route, later: laterIn(options, entry.route.tier, context.tiers) } };
}

interface Wish {
  id?: string | undefined;
  tier?: string | undefined;
  capability: readonly string[];
}

/** The project's rule, in front of the step's own word. */
function wishOf(step: AgentStep, use: RoutingRule["use"] | undefined, { not }: Assignment): Wish {
  const { id, tier, capability } = step.agent;
  const own = { id: id !== undefined && not.includes(id) ? undefined : id, tier, capability };
  if (!use) return own;
  if (use.agent !== undefined) return { id: use.agent, capability: use.capability ?? [] };
  return { tier: use.tier ?? tier, capability: [...new Set([...capability, ...(use.capability ?? [])])] };
}

/** Tiers that have an agent, cheapest first; within the ceiling, and below what a person refused to pay. Below everything the cheapest stays. */
function optionsOf(
  fit: readonly RoutableAgent[],
  tiers: readonly string[],
  ceiling: string | undefined,
  below: string | undefined,
): TierOption[] {
  const all = tiers
    .map((tier) => ({ tier, agents: fit.filter((a) => a.tier === tier).map((a) => a.id) }))
    .filter((option) => option.agents.length > 0);
  const top = ceiling === undefined ? Infinity : tiers.indexOf(ceiling);
  const under = below === undefined ? Infinity : tiers.indexOf(below);
  const within = all.filter(({ tier }) => tiers.indexOf(tier) <= top && tiers.indexOf(tier) < under);
  return within.length > 0 ? within : all.slice(0, 1);
}

const laterIn = (options: readonly TierOption[], tier: string, tiers: readonly string[]): string[] =>
  options.filter((o) => tiers.indexOf(o.tier) > tiers.indexOf(tier)).flatMap((o) => o.agents);

interface Choice {
  able: readonly RoutableAgent[];
  fit: readonly RoutableAgent[];
  options: readonly TierOption[];
  wish: Wish;
  /** The rule, for people. */
  why: string | undefined;
  policy: EscalationPolicy;
  context: RoutingContext;
  below: string | undefined;
}

function entryOf(step: AgentStep, { able, fit, options, wish, why, policy, context, below }: Choice): Routed {
  if (wish.id !== undefined && below === undefined) return named(step, able, wish.id, why ?? `the step names agent ${wish.id}`);
  const asks = [wish.tier && `tier ${wish.tier}`, ...wish.capability.map((c) => `capability ${c}`)].filter(Boolean).join(" and ");
  const wanted = below === undefined ? wish.tier : undefined;
  const inTier = fit.filter((a) => wanted === undefined || a.tier === wanted);
  if (inTier.length === 0)
    return refuse(
      `${why ? `${why} asks for step ${step.path}` : `step ${step.path} asks`} for ${asks}, which no registered agent has`,
      `Registered: ${able.map((a) => `${a.id} (${a.tier})`).join(", ")}.`,
    );
  const at = (tier: string, candidates: readonly string[], ...reasons: string[]): Routed => ({
    ok: true,
    route: {
      tier,
      candidates: [...candidates],
      reasons: asks === "" ? reasons : [why ?? `the step asks for ${asks}`, ...reasons],
      later: [],
    },
  });
  if (wanted !== undefined)
    return at(
      wanted,
      inTier.map((a) => a.id),
    );
  if (below !== undefined) {
    const option = options.at(-1);
    if (option) return at(option.tier, option.agents, `a person chose a tier below ${below}`);
  }
  if (policy.entry !== undefined) {
    const { entry } = policy;
    const option = options.find((o) => context.tiers.indexOf(o.tier) >= context.tiers.indexOf(entry)) ?? options.at(-1);
    if (option) return at(option.tier, option.agents, `begins at tier ${entry}`);
  }
  const preferred = asks === "" ? fit.find((a) => a.id === context.defaultAgent) : undefined;
  if (preferred) return at(preferred.tier, [preferred.id], "the default agent");
  const chosen = options.length > 0 ? context.chooseEntry?.(step, options) : undefined;
  if (chosen) {
    const routed = at(chosen.tier, chosen.agents, ...chosen.reasons);
    if (routed.ok && chosen.complexity !== undefined) routed.route.complexity = chosen.complexity;
    return routed;
  }
  const [lowest] = asks === "" ? options : [];
  const first = inTier.find((a) => lowest === undefined || a.id === lowest.agents[0]);
  if (!first) return nobody();
  if (asks !== "")
    return at(
      first.tier,
      inTier.filter((a) => a.tier === first.tier).map((a) => a.id),
    );
  return at(first.tier, [first.id], options.length > 1 ? `begins at the lowest tier` : "the first agent registered");
}

function named(step: AgentStep, able: readonly RoutableAgent[], id: string, because: string): Routed {
  const agent = able.find((a) => a.id === id);
  if (!agent)
    return refuse(`step ${step.path} asks for agent ${id}, which is not registered`, `Registered: ${able.map((a) => a.id).join(", ")}.`);
  return { ok: true, route: { tier: agent.tier, candidates: [agent.id], reasons: [because], later: [] } };
}

const nobody = (): Routed =>
  refuse(
    "no agent is registered",
    "Name a model: --model PROVIDER/MODEL, or agents in stepfall.yaml. `stepfall doctor` shows what was found.",
  );

const takenFromAll = (step: AgentStep): Routed =>
  refuse(`step ${step.path} was taken from every agent that is registered`, "Give it to one: `stepfall reassign STEP --agent ID`.");

const refuse = (problem: string, hint: string): Routed => ({ ok: false, problem, hint });
