import { formatUsd } from "../../../domain/index.ts";
import { normalCdf } from "./beta.ts";
import type { Candidate, CascadePlan, GateQuality } from "./contract.ts";
import type { Outcomes } from "./outcomes.ts";
import { AS_GOOD, ENOUGH_ATTEMPTS, planCascade, type PlanOptions } from "./plan.ts";
import { ratesOf } from "./rates.ts";

/** Which single agent or cascade would have been cheapest at equal acceptance. */
export type Advice =
  | {
      kind: "advice";
      /** The cheapest way to as many right results as the best single agent has. */
      plan: CascadePlan;
      /** The cheapest single agent within a point of the best. */
      single: string;
      /**
       * P(the plan really costs less than the best agent alone), by the normal approximation to what is known. 1 and 0 are never said. Absent: there
       * is nothing to compare, or no spread to tell it from.
       */
      confidence?: number;
      sentences: readonly string[];
    }
  | {
      kind: "too-little";
      /** How many more attempts are needed, by agent. */
      missing: readonly { agent: string; attempts: number; more: number }[];
      /** Agents that were tried, but hardly ever where others had not been refused before: what they do alone is not known. */
      unseen: readonly { agent: string; attempts: number; alone: number }[];
      sentences: readonly string[];
    };

export function advise(candidates: readonly Candidate[], outcomes: Outcomes, gate: GateQuality, options: PlanOptions = {}): Advice {
  const rates = ratesOf(candidates, outcomes.basis, gate, options.about);
  const enough = rates.filter((r) => r.attempts >= ENOUGH_ATTEMPTS && r.microUsd !== undefined);
  const unpriced = rates.filter((r) => r.attempts >= ENOUGH_ATTEMPTS && r.microUsd === undefined);
  if (enough.length < 2) {
    const missing = rates
      .filter((r) => r.attempts < ENOUGH_ATTEMPTS)
      .map((r) => ({ agent: r.candidate.id, attempts: Math.floor(r.attempts), more: ENOUGH_ATTEMPTS - Math.floor(r.attempts) }))
      .sort((a, b) => a.more - b.more);
    const needed = missing.slice(0, 2 - enough.length);
    return {
      kind: "too-little",
      missing,
      unseen: [],
      sentences: [
        `Too little data to advise: ${enough.length} of ${rates.length} agents have ${ENOUGH_ATTEMPTS} attempts that count here, and 2 are needed to compare.`,
        ...needed.map((m) => `${m.agent} has ${m.attempts}; ${m.more} more are needed.`),
        ...unpriced.map((r) => `What ${r.candidate.id} costs nobody knows, so it cannot be compared.`),
        ...(rates.length < 2 ? ["Only one agent is registered: there is nothing to compare it with."] : []),
      ],
    };
  }
  const plan = planCascade(candidates, outcomes, gate, { kind: "cheapest" }, options);
  const unseen = unseenOf(
    enough.map((r) => r.candidate.id),
    plan,
    outcomes,
  );
  if (unseen.length > 0)
    return {
      kind: "too-little",
      missing: [],
      unseen,
      sentences: [
        `Too little data to advise: how ${unseen.map((u) => u.agent).join(" and ")} does alone is not known.`,
        ...unseen.map(
          (u) =>
            `${u.agent} was tried on ${u.attempts} steps, and on ${u.attempts - u.alone} of them only after others were refused, which is the hard part of the work; ` +
            `at least ${ENOUGH_ATTEMPTS} others are needed, and there are ${u.alone}.`,
        ),
        `A share of the steps that begins there (\`routing: { split }\` with another \`entry\`), or \`stepfall bench-agents\`, finds it out.`,
      ],
    };
  const best = Math.max(...plan.singles.filter((s) => s.attempts >= ENOUGH_ATTEMPTS).map((s) => s.right.mean));
  const single = plan.singles
    .filter((s) => s.attempts >= ENOUGH_ATTEMPTS && s.right.mean >= best - AS_GOOD)
    .sort((a, b) => a.microUsd.mean - b.microUsd.mean)[0];
  const error = (plan.gain.microUsd.high - plan.gain.microUsd.low) / (2 * 1.96);
  const confidence = error === 0 ? undefined : Math.min(0.99, Math.max(0.01, normalCdf(-plan.gain.microUsd.mean / error)));
  const sentences = [...plan.reasons];
  if (single)
    sentences.push(
      `The best single agent is ${single.agent}: ${formatUsd(single.microUsd.mean)} a step, ${(100 * single.right.mean).toFixed(0)} % right ` +
        `(95 % interval ${(100 * single.right.low).toFixed(0)} to ${(100 * single.right.high).toFixed(0)} %), from ${single.attempts} attempts.`,
    );
  if (plan.gain.microUsd.mean < 0)
    sentences.push(
      `It would have cost ${formatUsd(-plan.gain.microUsd.mean)} a step less than ${plan.reference} alone ` +
        `(${confidence === undefined ? "how sure that is, nobody can tell" : `confidence ${(100 * confidence).toFixed(0)} %`}).`,
    );
  if (gate.isAssumed) sentences.push("The gate's error rates are assumed: mark results right or wrong to have them measured.");
  return { kind: "advice", plan, single: single?.agent ?? plan.reference, ...(confidence === undefined ? {} : { confidence }), sentences };
}

/** Whether the plan is the agent it is compared with, alone. */
export const isReferenceAlone = ({ parts, reference }: CascadePlan): boolean =>
  parts.every(({ agents }) => agents.length === 1 && agents[0] === reference);

/**
 * Agents that hardly ever began with a step. In a waterfall the dearer agent only sees what the cheaper one was refused: what it does with the
 * rest is in no ledger, and no model makes up for it; so neither which agent is best alone is known, nor what that costs. Where the best is such
 * an agent, and the advice is to take it alone, it stands all the same: on easier work it can only be better.
 */
function unseenOf(agents: readonly string[], plan: CascadePlan, outcomes: Outcomes): { agent: string; attempts: number; alone: number }[] {
  return agents.flatMap((agent) => {
    if (agent === plan.reference && isReferenceAlone(plan)) return [];
    let [attempts, alone] = [0, 0];
    for (const work of outcomes.basis.works) {
      const at = work.attempts.findIndex((r) => r.agent === agent);
      if (at === -1) continue;
      attempts++;
      const before = work.attempts.slice(0, at);
      if (before.length === 0 || before.some((r) => (r.accepted ?? r.right) !== false)) alone++;
    }
    return alone < ENOUGH_ATTEMPTS ? [{ agent, attempts, alone }] : [];
  });
}
