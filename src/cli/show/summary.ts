import { budgetName } from "../../domain/index.ts";
import type { DiffStat } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { painter, type Paint } from "../output.ts";
import { budgetText, enoughBudget, neededNext } from "./budget-text.ts";
import { billText } from "./bill-text.ts";
import { duration, plural, shellWord } from "./format.ts";
import type { RunReport } from "../../control/index.ts";
import { waitingText } from "./waiting-text.ts";
import { failureText, stepsText } from "./steps-text.ts";

/** How `stepfall ...` is typed so that it reaches this home. */
export function commandLine(cli: Pick<Cli, "program" | "home">, ...words: string[]): string {
  return [cli.program, ...(cli.home === undefined ? [] : ["--home", cli.home].map(shellWord)), ...words.map(shellWord)].join(" ");
}

/** What is printed when a run ends, or stops. The failed step comes first. */
export function summaryText(report: RunReport, cli: Pick<Cli, "program" | "home" | "out" | "clock">): string {
  const paint = painter(cli.out.colour);
  // A group says only which of its steps failed; that step says why.
  const failed = report.steps.filter((s) => s.status === "failed" && !s.mayFail && s.kind !== "group");
  return [
    ...failed.map((s) => failureText(report, s, paint)),
    ...report.waiting.map((item) => waitingText({ ...item, runId: report.runId }, (...words) => commandLine(cli, ...words))),
    outcomeText(report, paint),
    ...(report.diff ? [diffText(report.diff)] : []),
    stepsText(report, paint, cli.clock.now()),
    billText(report.bill, report.scriptedProviders),
    keptText(report),
    nextText(report, cli),
  ].join("\n\n");
}

function outcomeText(report: RunReport, paint: Paint): string {
  const done = report.steps.filter((s) => s.status === "completed").length;
  const time = report.endedAt === undefined ? "" : ` in ${duration(report.endedAt - report.startedAt)}`;
  const head = `${report.pipeline} ${word(report)}${time}: ${done} of ${plural(report.steps.length, "step")} completed (run ${report.runId})`;
  const because = report.because ? `\n${report.because}` : "";
  return paint("bold", head) + because;
}

function word(report: RunReport): string {
  switch (report.status) {
    case "budget":
      return stoppedText(report);
    case "waiting":
      return "waits for people";
    case "running":
    case "stopped":
    case "succeeded":
    case "failed":
    case "cancelled":
      return report.status;
    default:
      return report.status satisfies never;
  }
}

function stoppedText({ halted, paused, steps }: RunReport): string {
  if (halted?.scope === "run") return `stopped by its budget (${budgetText(halted, neededNext(steps) ?? halted.needed)})`;
  const [first] = halted ? [halted] : paused;
  return first
    ? `stopped: ${budgetName(first.id)} cannot carry the next call (${budgetText(first, first.needed)})`
    : "stopped by its budget";
}

const MOST_FILES = 20;

/** As `git diff --stat` writes it. */
export function diffText({ files }: DiffStat): string {
  if (files.length === 0) return "No file was changed.";
  const shown = files.slice(0, MOST_FILES);
  const wide = Math.max(...shown.map((f) => f.path.length));
  const most = Math.max(1, ...shown.map((f) => f.added + f.removed));
  const scale = Math.min(1, 40 / most);
  const lines = shown.map((f) => {
    if (f.binary) return ` ${f.path.padEnd(wide)} | binary`;
    const bar = (n: number, sign: string): string => sign.repeat(n === 0 ? 0 : Math.max(1, Math.round(n * scale)));
    return ` ${f.path.padEnd(wide)} | ${String(f.added + f.removed).padStart(String(most).length)} ${bar(f.added, "+")}${bar(f.removed, "-")}`;
  });
  if (files.length > MOST_FILES) lines.push(` ... and ${files.length - MOST_FILES} more`);
  const added = files.reduce((sum, f) => sum + f.added, 0);
  const removed = files.reduce((sum, f) => sum + f.removed, 0);
  lines.push(` ${plural(files.length, "file")} changed, ${plural(added, "insertion")}(+), ${plural(removed, "deletion")}(-)`);
  return lines.join("\n");
}

function keptText(report: RunReport): string {
  const merged = report.mergedInto ? ` (merged into ${report.mergedInto.into})` : "";
  if (report.cleaned && report.tip === undefined) return "Kept: the journal and the bill; all else was cleaned";
  return `Kept: branch ${report.branch}${merged} in ${report.project}${report.cleaned ? "; all else was cleaned" : `\n      transcripts in ${report.folder}`}`;
}

/** Whether its branch has anything that the base has not. */
const holdsWork = ({ tip, base, diff }: RunReport): boolean => tip !== undefined && tip !== base && diff?.files.length !== 0;

function nextText(report: RunReport, cli: Pick<Cli, "program" | "home">): string {
  const { runId, status } = report;
  const interesting =
    report.steps.find((s) => s.status === "failed" && !s.mayFail && s.attempts.length > 0) ??
    report.steps.find((s) => s.attempts.length > 1) ??
    report.steps.find((s) => s.attempts.length > 0);
  const logs = interesting ? commandLine(cli, "logs", runId, "--step", interesting.id) : commandLine(cli, "logs", runId);
  const commands = [commandLine(cli, "show", runId), logs];
  const holds = holdsWork(report);
  if (status === "succeeded" && !report.mergedInto && holds) commands.push(commandLine(cli, "merge", runId));
  else if (status === "waiting") commands.push(commandLine(cli, "inbox"), commandLine(cli, "resume", runId));
  else if (status === "stopped" || status === "running") commands.push(commandLine(cli, "resume", runId));
  else if (status === "budget" && report.halted?.scope === "run")
    commands.push(
      commandLine(cli, "resume", runId, "--budget", enoughBudget(report.halted, neededNext(report.steps) ?? report.halted.needed)),
    );
  else if (status === "budget") commands.push(commandLine(cli, "inbox"), commandLine(cli, "resume", runId));
  else if ((status === "failed" || status === "cancelled") && holds) commands.push(commandLine(cli, "merge", runId, "--partial"));
  else commands.push(commandLine(cli, "cost", runId));
  const advice =
    status === "failed"
      ? `\nA run that ended is not resumed: correct what failed, commit it, and \`${commandLine(cli, "run", "--again", runId)}\`.` +
        (holds ? " What did complete is in the branch." : "")
      : "";
  return `Next:\n${commands.map((c) => `  ${c}`).join("\n")}${advice}`;
}
