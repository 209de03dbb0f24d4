import { formatUsd } from "../../domain/index.ts";
import { isReferenceAlone, type Advice, type CascadePlan, type GateQuality } from "../../models/index.ts";
import { gateQualityText, moneyRange, percent, shareRange } from "./cost-savings.ts";
import { integer, plural } from "./format.ts";
import { table } from "./table.ts";

/** How much the advice rests on. */
export interface AdviceData {
  /** Judged steps, and the attempts at them. */
  steps: number;
  attempts: number;
  /** Attempts of which it became known later whether they were right. */
  known: number;
  /** Attempts of benchmark runs, which count beside them. */
  bench: number;
  /** Calls that a scripted model answered. */
  scripted: number;
}

/** The verdict, the plan, and what it rests on. `agents`: how many are known. */
export function adviceText(advice: Advice, data: AdviceData, agents: number): string {
  switch (advice.kind) {
    case "too-little": {
      const compared = agents - advice.missing.length;
      const needed = [...advice.missing].sort((a, b) => a.more - b.more).slice(0, Math.max(0, 2 - compared));
      const more = needed.reduce((sum, m) => sum + m.more, 0);
      const least =
        agents < 2
          ? "a second agent is needed to compare with"
          : more > 0
            ? `at least ${plural(more, "more attempt")} needed`
            : "they cannot be compared";
      return [
        `Too little data: ${plural(data.attempts, "judged attempt")} at ${plural(data.steps, "step")}; ${least}.`,
        ...advice.sentences.slice(1),
      ].join("\n");
    }
    case "advice": {
      const { plan, confidence, sentences } = advice;
      return [
        `Advice (an estimate): ${verdictText(advice)}`,
        ...sentences,
        "",
        table(
          [
            { title: "ALONE" },
            { title: "TIER" },
            { title: "ATTEMPTS", align: "right" },
            { title: "USD A STEP (95 %)" },
            { title: "RIGHT (95 %)" },
          ],
          plan.singles.map((s) => [s.agent, s.tier, integer(s.attempts), ...aloneCells(s)]),
        ),
        "",
        `The plan: ${moneyRange(plan.expected.microUsd)} a step, ${shareRange(plan.expected.right)} right${sureText(plan, confidence)}.`,
      ].join("\n");
    }
    default:
      return advice satisfies never;
  }
}

/** What is only a price list, or only assumed, is no figure of the ledger. */
const aloneCells = ({ attempts, microUsd, right }: CascadePlan["singles"][number]): string[] =>
  attempts === 0 ? [`not tried; by its prices ${formatUsd(microUsd.mean)}`, "not known"] : [moneyRange(microUsd), shareRange(right)];

/** Where the work that all of them did shows no difference between steps, there is nothing to be sure from. */
const sureText = (plan: CascadePlan, confidence: number | undefined): string =>
  isReferenceAlone(plan)
    ? ""
    : `; that it costs less than ${plan.reference} alone: ${
        confidence === undefined
          ? `nobody can tell how sure that is from the ${plural(plan.jointWork, "step")} that all of them tried`
          : `${percent(confidence)} sure`
      }`;

function verdictText({ plan }: Extract<Advice, { kind: "advice" }>): string {
  const how = plan.parts.map((p) => (plan.parts.length > 1 ? `${percent(p.share)} of steps ` : "") + p.agents.join(", then ")).join("; ");
  switch (plan.verdict) {
    case "cascade":
      return `a cascade: ${how}.`;
    case "single":
      return `one agent alone: ${how}.`;
    case "unknown":
      return `too little is known to name a plan; ${how} is used.`;
    default:
      return plan.verdict satisfies never;
  }
}

/** What the figures rest on, for people. */
export function dataText({ steps, attempts, known, bench, scripted }: AdviceData, gate: GateQuality): string {
  return [
    `From ${plural(attempts, "judged attempt")} at ${plural(steps, "step")}${bench > 0 ? `, and ${plural(bench, "attempt")} of benchmark runs` : ""}; of ${known} it became known later whether they were right.`,
    `How often gates err: ${gateQualityText(gate)}. \`stepfall gates\` shows each.`,
    ...(scripted > 0 ? [`${plural(scripted, "call")} were answered by a scripted model: they say nothing about real ones.`] : []),
  ].join("\n");
}
