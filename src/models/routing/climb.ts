import type { AgentStep } from "../../domain/index.ts";

/** How attempts climb from tier to tier where a step says nothing else. */
export interface EscalationPolicy {
  /** `false`: every attempt at a step is routed alike. */
  escalate: boolean;
  entry?: string | undefined;
  ceiling?: string | undefined;
  /** Tries at a tier before the next one. */
  attempts?: number | Readonly<Record<string, number>> | undefined;
}

export const climbByDefault: Readonly<EscalationPolicy> = { escalate: true };

/** The policy for one step: its own word, then the project's. */
export function policyFor(step: AgentStep, project: EscalationPolicy): EscalationPolicy {
  if (step.escalate === false) return { escalate: false };
  if (step.escalate === undefined) return project;
  const { entry = project.entry, ceiling = project.ceiling, attempts = project.attempts } = step.escalate;
  return { escalate: true, entry, ceiling, attempts };
}

const triesAt = (tier: string, { attempts = 1 }: EscalationPolicy): number =>
  typeof attempts === "number" ? attempts : (attempts[tier] ?? 1);

/** What has been seen of a step so far. */
export interface Reached {
  tier: string;
  /** In a row, at this tier, that were no good. */
  tries: number;
}

export interface Climb {
  tier: string;
  /** The tier it comes from, when it went up. */
  from?: string;
  because?: string;
}

/**
 * The tier of the next attempt: the same again as long as tries are left there, then the next one up that there is. At the top it stays.
 * `there`: tiers that have an agent for the step, cheapest first. `undefined`: nothing has been tried yet, or the policy does not climb.
 */
export function climb(
  there: readonly string[],
  tiers: readonly string[],
  policy: EscalationPolicy,
  seen: { reached?: Reached | undefined; above?: string | undefined },
): Climb | undefined {
  const rank = (tier: string): number => tiers.indexOf(tier);
  const { above } = seen;
  if (above !== undefined && (!seen.reached || rank(seen.reached.tier) <= rank(above))) {
    const next = there.find((tier) => rank(tier) > rank(above));
    if (next !== undefined) return { tier: next, from: above, because: `an attempt at tier ${above} made no progress` };
  }
  const { reached } = seen;
  if (!policy.escalate || !reached) return undefined;
  const { tier, tries } = reached;
  const most = triesAt(tier, policy);
  if (tries < most && there.includes(tier)) return { tier, because: `try ${tries + 1} of ${most} at tier ${tier}` };
  const next = there.find((t) => rank(t) > rank(tier));
  if (next !== undefined)
    return {
      tier: next,
      from: tier,
      because: `${tries === 1 ? "a result" : `${tries} results`} of tier ${tier} ${tries === 1 ? "was" : "were"} refused`,
    };
  const top = there.at(-1);
  return top === undefined ? undefined : { tier: top, because: `no tier above ${tier} may do it` };
}
