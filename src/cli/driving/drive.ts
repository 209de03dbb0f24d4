import type { RunState } from "../../domain/index.ts";
import type { DriveEnd } from "../../engine/index.ts";
import type { Workspaces } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { openView } from "../progress/view.ts";
import type { Assembled } from "../../setup/assemble.ts";
import type { ShownStatus } from "../../setup/find-run.ts";
import { plural } from "../show/format.ts";
import { reportRun, ReportWriter, type RunReport } from "../../control/index.ts";
import { importLeftBill } from "../../setup/bill.ts";
import { commandLine, summaryText } from "../show/summary.ts";
import type { Interrupts } from "./signals.ts";
import { watchHome } from "./watch-home.ts";

export interface Driven {
  end: DriveEnd;
  report: RunReport;
}

/** Drives a run before the eyes of a person: progress, Ctrl-C, and what it came to. */
export async function driveRun(
  cli: Cli,
  assembled: Assembled,
  run: {
    runId: string;
    workspaces: Workspaces;
    interrupts: Interrupts;
    waitForPeople?: boolean;
    /** In whose name a run goes on that was begun before. */
    resumed?: { actor: string; by: string };
  },
): Promise<Driven> {
  const { engine, store, deps } = assembled;
  const { runId, workspaces, interrupts } = run;
  const state = await engine.load(runId);
  cli.out.note(`run ${runId}: ${state.pipeline.name}, ${plural(state.steps.size, "step")}, branch ${state.branch}`);
  cli.out.note(`whatever stops it, this goes on with it: ${commandLine(cli, "resume", runId)}`);
  const view = await openView(cli, state);
  const reports = new ReportWriter({ store, home: deps.home, mask: deps.mask, workspaces }, state);
  assembled.listen((item) => {
    view.take(item);
    if (item.kind === "event") reports.look(item.event);
  });
  interrupts.watch(view);
  using kept = watchHome(deps.home);
  let end: DriveEnd;
  try {
    end = await engine.drive(runId, {
      workspaces,
      drain: interrupts.drain,
      stop: AbortSignal.any([interrupts.stop, kept.gone]),
      waitForPeople: run.waitForPeople === true,
      waitForBudget: run.waitForPeople === true,
      ...(run.resumed ? { resumed: run.resumed } : {}),
    });
  } catch (error) {
    kept.requireThere();
    throw error;
  } finally {
    await view.end();
  }
  kept.requireThere();
  // What a killed engine's attempts had spent, when no later attempt of this one brought it in.
  await importLeftBill(cli, store);
  const problem = await reports.end();
  if (problem !== undefined) cli.out.note(`its report could not be written: ${problem}`);
  const last = await engine.load(runId);
  return { end, report: await reportRun(last, { store, home: deps.home, status: statusOf(end, last), workspaces, now: cli.clock.now() }) };
}

function statusOf(end: DriveEnd, state: RunState): ShownStatus {
  switch (end.kind) {
    case "finished":
      return end.outcome;
    case "budget":
      return "budget";
    case "people":
      return "waiting";
    case "stopped":
      return state.outcome ?? "stopped";
    case "taken-over":
      return "running";
    default:
      return end satisfies never;
  }
}

function exitCodeOf(end: DriveEnd): number {
  switch (end.kind) {
    case "finished":
      return end.outcome === "succeeded" ? Exit.ok : Exit.failed;
    case "budget":
      return Exit.budget;
    case "people":
      return Exit.waitsForHuman;
    case "stopped":
      return Exit.interrupted;
    case "taken-over":
      return Exit.failed;
    default:
      return end satisfies never;
  }
}

/** Prints what a run came to, and answers the exit code. */
export function tellResult(cli: Cli, { end, report }: Driven): number {
  const code = exitCodeOf(end);
  if (cli.json) cli.out.json({ version: 1, type: "result", exitCode: code, ...report });
  else {
    cli.out.data(`\n${summaryText(report, cli)}`);
    if (end.kind === "stopped") cli.out.note(`Stopped. Go on with: ${commandLine(cli, "resume", report.runId)}`);
    if (end.kind === "taken-over") cli.out.note("Another process drives this run now.");
  }
  return code;
}
