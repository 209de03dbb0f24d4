import { formatUsd, parseAttemptId, type Usage } from "../../domain/index.ts";
import { addUsage, type BillRow } from "../../models/index.ts";
import type { ToldSavings } from "../ledger/savings.ts";
import { code, plain, section, table } from "./markdown.ts";
import type { RunReportInput, Told } from "./report.ts";

const none: Usage = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, microUsd: 0, provenance: "reported" };

/** The bill, an attempt and model a row, with where its figures come from; what was saved, as the estimate it is. */
export function costSection(
  { bill, rows, isPart, scripted = [], savings }: RunReportInput & { rows: readonly BillRow[]; isPart: boolean },
  { refs, sources }: Told,
): string[] {
  const total = isPart ? rows.reduce<Usage>((sum, row) => addUsage(sum, row), none) : bill.total;
  const figures = (u: Usage): string[] => [
    String(u.calls),
    String(u.inputTokens),
    String(u.cachedInputTokens),
    String(u.outputTokens),
    formatUsd(u.microUsd),
    u.calls === 0 && u.microUsd === 0 ? "" : u.provenance,
  ];
  const lines = rows.map((row) => [
    code(shortAttempt(row.attempt)),
    code(row.agent),
    `${plain([row.provider, row.model].filter(Boolean).join("/"))}${scripted.includes(row.provider) ? " (scripted)" : ""}`,
    ...figures(row),
    // What an attempt cost is in the event that ended it; of one that is under way, in its beginning.
    refs.to(sources.ended(row.attempt) ?? sources.started(row.attempt)),
  ]);
  lines.push([
    "total",
    "",
    "",
    ...figures(total),
    refs.to(...rows.map((row) => sources.ended(row.attempt) ?? sources.started(row.attempt))),
  ]);
  const titles = ["attempt", "agent", "model", "calls", "tokens in", "cached", "tokens out", "USD", "figures", ""];
  const isFree = rows.some((row) => scripted.includes(row.provider));
  const refused = rows.reduce((sum, row) => sum + row.refused, 0);
  return section(
    "Cost",
    rows.length === 0 ? "No model was called." : table(titles, lines),
    rows.length === 0
      ? undefined
      : "Figures are `reported` by the provider, `estimated` from what passed, or `unknown` and bounded by what was reserved. Tokens in include cached ones.",
    refused === 0 ? undefined : `${refused} ${refused === 1 ? "call was" : "calls were"} refused by a budget or a limit, and cost nothing.`,
    isFree ? "Scripted models answered from a file: no money was spent on them; prices are those of the settings." : undefined,
    rows.some((row) => row.credentials === "direct")
      ? "Agents on their user's own login went through no gateway: the tokens are their own word, and what they cost is not known."
      : undefined,
    savings && savingsText(savings),
  );
}

/** Not of the journal: reckoned from the ledger, and said so. */
function savingsText(savings: ToldSavings): string {
  if (savings.kind === "too-little")
    return `Savings: too little data to estimate any: ${savings.steps} judged steps in this project, at least ${savings.needed} are needed.`;
  const { spentMicroUsd, steps, counterfactuals, missing } = savings;
  const rows = counterfactuals.map((c) => [
    plain(c.name),
    code(c.agent),
    `${formatUsd(c.microUsd.mean)} (${formatUsd(c.microUsd.low)} to ${formatUsd(c.microUsd.high)})`,
    `${formatUsd(c.saved.mean)} (${formatUsd(c.saved.low)} to ${formatUsd(c.saved.high)})`,
  ]);
  return [
    `Savings are estimates from the ledger, over all ${steps} judged steps of this project, which cost ${formatUsd(spentMicroUsd)}: it was not done otherwise.`,
    ...(rows.length === 0 ? [] : [table(["instead", "agent", "would have cost (95 %)", "saved (95 %)"], rows)]),
    ...counterfactuals.map((c) => `${plain(c.name)}: ${plain(c.method, 600)}`),
    ...missing.map((why) => `Not computed: ${plain(why)}.`),
  ].join("\n\n");
}

const shortAttempt = (id: string): string => {
  const ref = parseAttemptId(id);
  return ref ? `${ref.stepPath}#${ref.n}` : id;
};
