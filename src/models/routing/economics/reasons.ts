import type { CascadePlan, GateQuality, Objective } from "./contract.ts";
import { formatUsd } from "../../../domain/index.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const points = (share: number): string => `${share >= 0 ? "+" : ""}${(100 * share).toFixed(1)} points`;

/** Why a plan is as it is, for people. */
export function reasonsOf(plan: Omit<CascadePlan, "reasons">, objective: Objective, gate: GateQuality, isKnown: boolean): string[] {
  const reference = plan.singles.find((s) => s.agent === plan.reference);
  const lines: string[] = [];
  if (!isKnown || !reference) {
    lines.push(
      `Too little is known to plan with: ${reference?.attempts ?? 0} attempts of ${plan.reference || "any agent"} are in the ledger, ` +
        `and fewer than 2 agents have enough. ${plan.reference || "The default"} is used.`,
    );
    return lines;
  }
  const aim = objective.kind === "best-within" ? "within its cost" : "at its share of right results, for less";
  const alone = `${plan.reference} alone: ${formatUsd(reference.microUsd.mean)} a step, ${percent(reference.right.mean)} right`;
  if (plan.verdict === "single") {
    const chosen = plan.parts.map((p) => p.agents[0] ?? "");
    lines.push(
      chosen.length === 1 && chosen[0] === plan.reference
        ? `A cascade does not pay here: none beats ${alone} ${aim}, by more than one standard error of what is known.`
        : `No cascade is needed: ${chosen.join(" and ")} does better than ${alone}.`,
    );
  } else {
    const how = plan.parts
      .map((p) => (plan.parts.length > 1 ? `${percent(p.share)} of steps: ` : "") + p.agents.join(", then "))
      .join("; ");
    lines.push(`A cascade pays: ${how}.`, `It is compared with ${alone}.`);
  }
  if (plan.gain.right.mean !== 0 || plan.gain.microUsd.mean !== 0)
    lines.push(
      `Expected: ${formatUsd(plan.expected.microUsd.mean)} a step, ${percent(plan.expected.right.mean)} right and ${percent(plan.expected.wrong)} wrong unnoticed, ` +
        `${points(plan.gain.right.mean)} (95 % interval ${points(plan.gain.right.low)} to ${points(plan.gain.right.high)}) on ${plan.jointWork} pieces of joint work.`,
    );
  lines.push(
    `The gate ${gate.isAssumed ? "is assumed to accept" : "accepts"} ${percent(gate.falseAccept)} of wrong results and ${gate.isAssumed ? "to refuse" : "refuses"} ${percent(gate.falseRefuse)} of right ones.`,
  );
  return lines;
}
