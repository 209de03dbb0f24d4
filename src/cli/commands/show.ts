import { budgetName, formatUsd, pauseText } from "../../domain/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { painter } from "../output.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { driverOf, findRun, loadRun, shownStatus } from "../../setup/find-run.ts";
import { withStore } from "../../setup/store.ts";
import { billText } from "../show/bill-text.ts";
import { failureWord, gist, plainWords } from "../show/failure-text.ts";
import { dateTime, duration, indent, integer } from "../show/format.ts";
import { livenessText, riskLines } from "../show/live-text.ts";
import { quotaText } from "../show/quota-text.ts";
import { type AttemptReport, isQuiet, type QueueDepth, queueDepths, reportHere, type RunReport } from "../../control/index.ts";
import { depthText } from "../show/queue-depth.ts";
import { phaseWord, symbolOf } from "../show/steps-text.ts";
import { diffText } from "../show/summary.ts";

/** `stepfall show [RUN]` */
export async function show(cli: Cli, given: string | undefined): Promise<number> {
  const { report, queue } = await withStore(cli, async (store) => {
    const row = await findRun(cli, store, given);
    await importLeftBill(cli, store);
    const now = cli.clock.now();
    const driver = row.status === "running" ? await driverOf(store, row.runId, now) : undefined;
    const depthOf = await queueDepths(store, now);
    return {
      report: await reportHere(cli, store, await loadRun(store, row.runId), shownStatus(row, driver)),
      queue: { run: await depthOf(row.runId), all: await depthOf() },
    };
  });
  if (cli.json) cli.out.json({ version: 1, ...report, queue });
  else cli.out.data(showText(report, queue, cli));
  return Exit.ok;
}

/** How full the queue is: what this run has in it, and what all runs of this home have. */
interface Queue {
  run: QueueDepth;
  all: QueueDepth;
}

function showText(report: RunReport, queue: Queue, cli: Pick<Cli, "out" | "clock">): string {
  const paint = painter(cli.out.colour);
  const isOver = report.endedAt !== undefined;
  const facts: [string, string | undefined][] = [
    ["pipeline", report.pipeline + (report.source ? ` (${report.source})` : "")],
    ["project", report.project],
    ["status", report.status + (report.because ? `: ${report.because}` : "")],
    ["started", dateTime(report.startedAt) + (report.endedAt === undefined ? "" : `, took ${duration(report.endedAt - report.startedAt)}`)],
    ["queue", isOver && isQuiet(queue.run) ? undefined : depthText(queue.run)],
    ["in all runs", isOver || isQuiet(queue.all) ? undefined : depthText(queue.all)],
    ["base", report.base.slice(0, 12)],
    ["branch", report.branch + (report.tip ? ` at ${report.tip.slice(0, 12)}` : " (gone)")],
    ["merged", report.mergedInto ? `into ${report.mergedInto.into} as ${report.mergedInto.commit.slice(0, 12)}` : undefined],
    ["budget", report.budget === undefined ? undefined : formatUsd(report.budget)],
    ...report.paused.map((p): [string, string] => [
      "paused by",
      `${budgetName(p.id)}: ${pauseText(p)}${p.item === undefined ? "" : ` (${p.item})`}`,
    ]),
    ["transcripts", report.cleaned ? "gone: the run was cleaned" : report.folder],
  ];
  const head = [
    paint("bold", `run ${report.runId}`),
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)}  ${value}`])),
  ].join("\n");
  const steps = report.steps.map((s) => {
    const lines = [
      `${symbolOf(s.status)} ${paint("bold", s.id)} (${s.kind}) ${s.status}${s.because ? `: ${gist(s.because, 200)}` : s.quota ? `: ${quotaText(s.quota, cli.clock.now())}` : ""}${s.needs.length > 0 ? `; needs ${s.needs.join(", ")}` : ""}`,
    ];
    for (const a of s.attempts) lines.push(...attemptLines(a, s.kind));
    return lines.join("\n");
  });
  return [head, ...(report.diff ? [diffText(report.diff)] : []), ...steps, billText(report.bill, report.scriptedProviders)].join("\n\n");
}

function attemptLines(a: AttemptReport, stepKind: string): string[] {
  const time = a.startedAt !== undefined && a.endedAt !== undefined ? ` in ${duration(a.endedAt - a.startedAt)}` : "";
  const waited = a.queuedMs === undefined ? "" : `, after ${duration(a.queuedMs)} in the queue`;
  const lines = [`  #${a.n} ${phaseWord(a.phase)}${a.agent ? ` by ${a.agent}` : ""} (tier ${a.tier})${time}${waited}`];
  if (a.live) lines.push(...[livenessText(a.live, a.live.at), ...riskLines(a.live)].map((line) => `     ${line}`));
  if (a.summary) lines.push(indent(a.summary, "     said: "));
  if (a.commit) lines.push(`     commit ${a.commit.slice(0, 12)}${a.mergeCommit ? `, merged as ${a.mergeCommit.slice(0, 12)}` : ""}`);
  if (a.dropped?.length) lines.push(`     dropped changes to protected files: ${a.dropped.join(", ")}`);
  for (const m of a.messages ?? []) {
    const became = m.deliveredAt !== undefined ? "" : a.endedAt === undefined ? ", on its way" : ", not delivered since it ended first";
    lines.push(`     ${m.by} said to it${became}:`, indent(m.text, "       "));
  }
  for (const g of a.gates)
    lines.push(
      `     gate ${g.name}: ${g.verdict} in ${duration(g.durationMs)}${g.microUsd === undefined ? "" : `, ${formatUsd(g.microUsd)}`}`,
    );
  for (const f of a.findings) {
    lines.push(`     ${f.gate}: ${f.message}`);
    if (f.evidence) lines.push(indent(f.evidence, "       "));
  }
  if (a.failure) lines.push(`     ${failureWord(stepKind, a.failure.kind)}:`, indent(plainWords(a.failure.message), "       "));
  if (a.interrupted) lines.push(`     ${a.interrupted.because}${a.interrupted.evidence ? ` (${a.interrupted.evidence})` : ""}`);
  if (a.output !== undefined) lines.push(`     output: ${JSON.stringify(a.output)}`);
  if (a.usage)
    lines.push(
      `     used ${integer(a.usage.inputTokens)} + ${integer(a.usage.outputTokens)} tokens, ${formatUsd(a.usage.microUsd)} (${a.usage.provenance})`,
    );
  return lines;
}
