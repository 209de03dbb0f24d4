import { formatUsd } from "../../domain/index.ts";
import type { View, ViewRow } from "../../models/index.ts";
import type { Zone } from "../../control/index.ts";
import { dateTime, integer, plural } from "./format.ts";
import { table } from "./table.ts";

/** A sum of the ledger, a row a line, and what has to be known of its figures. */
export function viewText(view: View, { since, zone }: { since?: number | undefined; zone: Zone }): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const text = table(
    [
      { title: view.by.toUpperCase() },
      ...["CALLS", "IN", "CACHED", "OUT", "USD", "ATTEMPTS", "ACCEPTED", "USD/ACCEPTED"].map(right),
      { title: "FIGURES" },
    ],
    [...view.rows, view.total].map(cells),
  );
  return [text, ...notes(view, { since, zone })].join("\n");
}

const cells = (row: ViewRow): string[] => [
  row.name,
  integer(row.calls),
  integer(row.inputTokens),
  integer(row.cachedInputTokens),
  integer(row.outputTokens),
  formatUsd(row.microUsd),
  integer(row.attempts),
  integer(row.accepted),
  row.microUsdPerAccepted === undefined ? "" : formatUsd(row.microUsdPerAccepted),
  figuresText(row),
];

/** `reported`, or which part is not. */
function figuresText({ calls, figures, refused }: ViewRow): string {
  const parts = (["estimated", "unknown"] as const).flatMap((kind) => {
    const { calls: some, microUsd } = figures[kind];
    return some === 0 ? [] : [some === calls && microUsd === 0 ? kind : `${integer(some)} ${kind} (${formatUsd(microUsd)})`];
  });
  const all = calls === 0 ? [] : parts.length === 0 ? ["reported"] : parts;
  return [...all, ...(refused > 0 ? [`${integer(refused)} refused by a budget or a limit`] : [])].join(", ");
}

function notes({ by, total }: View, { since, zone }: { since?: number | undefined; zone: Zone }): string[] {
  return [
    ...(by === "day" ? [`Days are those of ${zone.name}.`] : []),
    ...(since === undefined ? [] : [`Calls, and attempts that were routed, since ${dateTime(since)}.`]),
    ...(by === "model" && total.attempts > 0 ? ["An attempt that asked two models stands in both rows, and once in the total."] : []),
    ...(total.scripted > 0
      ? [`${integer(total.scripted)} of ${plural(total.calls, "call")} were answered by a scripted model: no money was spent on them.`]
      : []),
    ...(total.listPriced > 0
      ? [`${plural(total.listPriced, "call")} on an agent's own login: the money is the list's, not what a subscription was charged.`]
      : []),
    ...(total.ownWord > 0
      ? [`${plural(total.ownWord, "call")} that no gateway saw: the tokens are the agent's own word, and their money is not known.`]
      : []),
  ];
}
