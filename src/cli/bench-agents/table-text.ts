import { formatUsd } from "../../domain/index.ts";
import type { Proportion } from "../../models/index.ts";
import { percent } from "../show/cost-savings.ts";
import { duration, plural } from "../show/format.ts";
import { table } from "../show/table.ts";
import type { EndedCell } from "./results-file.ts";
import { counts, FEW, type AgentLine } from "./summarize.ts";

/** The table for people, and what has to be known to read it right. `cost`: by agents that a scripted model answers for. */
export function benchText(lines: readonly AgentLine[], ended: readonly EndedCell[], scripted: readonly string[]): string {
  const right = { align: "right" as const };
  const text = table(
    [
      { title: "AGENT" },
      { title: "TIER" },
      { title: "TYPE" },
      { title: "RUNS", ...right },
      { title: "ACCEPTED (95 %)", ...right },
      { title: "MEDIAN", ...right },
      { title: "P90", ...right },
      { title: "COST/RUN", ...right },
      { title: "COST/ACCEPTED", ...right },
      { title: "RELIABLE", ...right },
    ],
    lines.map((line) => [
      line.agent,
      line.tier,
      line.type ?? "all",
      `${line.runs}${line.isSmall ? "*" : ""}`,
      shareText(line.accuracy),
      timeText(line.medianMs),
      timeText(line.p90Ms),
      line.microUsdPerRun === undefined ? "?" : formatUsd(Math.round(line.microUsdPerRun)),
      costOfAccepted(line),
      line.reliability.of === 0 ? "-" : percent(line.reliability.share),
    ]),
  );
  const left = ended.filter((e) => !counts(e));
  return [
    text,
    "",
    "ACCEPTED: results that all gates took, of the runs in which there was something to judge. Times are from an attempt's start to the word of its gates.",
    ...(lines.some((l) => l.isSmall)
      ? [`* fewer than ${FEW} runs: such figures tell agents apart only where their intervals do not overlap.`]
      : []),
    ...(left.length > 0
      ? [`${plural(left.length, "run")} counted nowhere, since their end says nothing of an agent: ${reasons(left)}.`]
      : []),
    ...(scripted.length > 0
      ? [`Scripted models answered for ${scripted.join(", ")}: that says nothing about real ones, and no money was spent.`]
      : []),
  ].join("\n");
}

const shareText = ({ hits, of, share, low, high }: Proportion): string =>
  of === 0 ? "-" : `${hits}/${of} ${percent(share)} (${percent(low)} to ${percent(high)})`;

const timeText = (ms: number | undefined): string => (ms === undefined ? "-" : duration(ms));

function costOfAccepted({ accuracy, microUsdPerAccepted, microUsdPerRun }: AgentLine): string {
  if (accuracy.hits === 0) return "none accepted";
  return microUsdPerAccepted === undefined || microUsdPerRun === undefined ? "?" : formatUsd(Math.round(microUsdPerAccepted));
}

function reasons(left: readonly EndedCell[]): string {
  const counted = Map.groupBy(left, (e) => `${e.agent} ${e.failure ?? e.verdict}`);
  return [...counted].map(([why, those]) => `${those.length} × ${why}`).join(", ");
}

/** One run, for people who watch. */
export function cellLine({ task, agent, n, verdict, failure, refusedBy, microUsd, ms }: EndedCell): string {
  const how =
    verdict === "refused" && refusedBy.length > 0
      ? `refused by ${refusedBy.join(", ")}`
      : failure === undefined
        ? verdict
        : `${verdict} (${failure})`;
  return `${task} #${n} by ${agent}: ${how} in ${duration(ms)}${microUsd === undefined ? "" : `, ${formatUsd(microUsd)}`}`;
}
