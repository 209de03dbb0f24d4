import { formatUsd, parseAttemptId } from "../../domain/index.ts";
import type { Bill } from "../../models/index.ts";
import { integer } from "./format.ts";
import { table } from "./table.ts";

const shortAttempt = (id: string): string => {
  const ref = parseAttemptId(id);
  return ref ? `${ref.stepPath}#${ref.n}` : id;
};

/** The bill of a run, an attempt a line; the figures' provenance is said with each. */
export function billText(bill: Bill, scripted: readonly string[]): string {
  if (bill.rows.length === 0) return "Bill: no model was called.";
  const figures = (u: Bill["total"]): string[] => [
    integer(u.calls),
    integer(u.inputTokens),
    integer(u.cachedInputTokens),
    integer(u.outputTokens),
    formatUsd(u.microUsd),
    u.calls === 0 ? "" : u.provenance,
    u.refused > 0 ? `${u.refused} refused by a budget or a limit` : "",
  ];
  const rows = bill.rows.map((row) => [
    shortAttempt(row.attempt),
    row.agent,
    `${[row.provider, row.model].filter(Boolean).join("/")}${scripted.includes(row.provider) ? " (scripted)" : ""}`,
    row.credentials,
    ...figures(row),
  ]);
  rows.push(["total", "", "", "", ...figures(bill.total)]);
  const right = (title: string) => ({ title, align: "right" as const });
  const text = table(
    [
      { title: "ATTEMPT" },
      { title: "AGENT" },
      { title: "MODEL" },
      { title: "KEY" },
      right("CALLS"),
      right("IN"),
      right("CACHED"),
      right("OUT"),
      right("USD"),
      { title: "FIGURES" },
      { title: "" },
    ],
    rows,
  );
  const isScripted = bill.rows.some((r) => scripted.includes(r.provider));
  const isPriced = bill.rows.some((r) => scripted.includes(r.provider) && r.microUsd > 0);
  const note = isScripted
    ? `\nScripted model: its answers came from a file and no money was spent${isPriced ? "; the prices are those of the settings" : ""}.`
    : "";
  const direct = bill.rows.some((r) => r.credentials === "direct")
    ? "\nKEY direct: the agent ran on your own login and no gateway saw its calls; the tokens are its own word, and what they cost is not known."
    : "";
  return `Bill\n${text}${note}${direct}`;
}
