import { formatUsd } from "../../domain/index.ts";
import type { Estimate, GateQuality } from "../../models/index.ts";
import type { ToldCounterfactual, ToldSavings } from "../../control/index.ts";
import { plural } from "./format.ts";
import { table } from "./table.ts";

export const moneyRange = ({ mean, low, high }: Estimate): string => `${formatUsd(mean)} (${formatUsd(low)} to ${formatUsd(high)})`;
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
export const shareRange = ({ mean, low, high }: Estimate): string => `${percent(mean)} (${percent(low)} to ${percent(high)})`;

/** How often gates err, or that nobody knows yet and what routing goes by until then. */
export function gateQualityText({
  falseAccept,
  falseAcceptInterval,
  falseRefuse,
  falseRefuseInterval,
  counts,
  isAssumed,
}: GateQuality): string {
  const rates =
    `${shareRange({ mean: falseAccept, ...falseAcceptInterval })} of wrong results accepted, ` +
    `${shareRange({ mean: falseRefuse, ...falseRefuseInterval })} of right ones refused`;
  return isAssumed
    ? `not known yet (of ${plural(counts.wrong, "wrong result")} and ${plural(counts.right, "right one")} it is known what they were worth). Until more are known routing assumes ${rates}`
    : rates;
}

/** The savings, each named, with its interval and how it was computed. */
export function savingsText(told: ToldSavings): string {
  if (told.kind === "too-little")
    return `Savings: too little data: ${plural(told.steps, "judged step")}, at least ${told.needed} are needed.`;
  const { spentMicroUsd, steps, counterfactuals, missing } = told;
  const spent = `Savings (estimates: it was not done otherwise). ${plural(steps, "judged step")} cost ${formatUsd(spentMicroUsd)}.`;
  const rows = counterfactuals.map((c) => [c.name, c.agent, moneyRange(c.microUsd), savedText(c), rightText(c)]);
  return [
    spent,
    ...(rows.length > 0
      ? [
          table(
            [
              { title: "INSTEAD" },
              { title: "AGENT" },
              { title: "WOULD HAVE COST (95 %)" },
              { title: "SAVED (95 %)" },
              { title: "RIGHT (95 %)" },
            ],
            rows,
          ),
        ]
      : []),
    ...counterfactuals.map((c) => `${c.name}: ${c.method}`),
    ...missing.map((why) => `Not computed: ${why}.`),
  ].join("\n");
}

const savedText = ({ saved }: ToldCounterfactual): string =>
  `${moneyRange(saved)}${saved.low < 0 && saved.high > 0 ? ", perhaps nothing" : ""}`;

function rightText({ right, attempts, agent }: ToldCounterfactual): string {
  if (!right) return `not known: ${plural(attempts, "attempt")} of ${agent}`;
  return `${shareRange(right.counterfactual)}; as it was done ${percent(right.actual)}`;
}
