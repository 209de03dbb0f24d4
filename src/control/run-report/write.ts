import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fold, runStream, type Recorded } from "../../domain/index.ts";
import { runFolder } from "../../engine/index.ts";
import { billOf } from "../../models/index.ts";
import { readOptions } from "../../setup/run-options.ts";
import type { Store } from "../../store/index.ts";
import type { DiffStat, Workspaces } from "../../workspace/index.ts";
import { saidIn } from "../looking/report.ts";
import type { ToldSavings } from "../ledger/savings.ts";
import { phasesOf } from "./phases.ts";
import { runReportMarkdown } from "./report.ts";

export interface ReportSources {
  store: Pick<Store, "read" | "calls">;
  home: string;
  mask: (text: string) => string;
  /** For what was changed. Absent: the report does not say. */
  workspaces?: Workspaces | undefined;
  savings?: ToldSavings | undefined;
}

/** The report of a run, or of one of its phases, as it stands. `undefined`: there is no such run, or it has no such phase. */
export async function readRunReport(sources: ReportSources, runId: string, phase?: string): Promise<string | undefined> {
  const events = await sources.store.read(runStream(runId));
  if (events.length === 0) return undefined;
  return reportOf(sources, runId, events, phase);
}

async function reportOf(
  { store, home, mask, workspaces, savings }: ReportSources,
  runId: string,
  events: readonly Recorded[],
  phase: string | undefined,
): Promise<string | undefined> {
  const state = fold(events);
  if (phase !== undefined && !phasesOf(state).some((p) => p.name === phase)) return undefined;
  const branch = { runId, name: state.branch };
  // A branch that was cleaned away leaves the rest of the report as it is.
  const tip = phase === undefined ? await workspaces?.tip(branch).catch(() => undefined) : undefined;
  const diff: DiffStat | undefined = workspaces && tip ? await workspaces.diffStat(state.base, tip).catch(() => undefined) : undefined;
  const bill = await billOf(store, runId, saidIn(state));
  const scripted = readOptions(home, runId).scripted;
  return mask(runReportMarkdown({ events, bill, phase, diff, savings, scripted }));
}

/** Where the report of a run, or of a phase, is kept. */
export const reportFile = (home: string, runId: string, phase?: string): string =>
  join(runFolder(home, runId), phase === undefined ? "report.md" : `report-${phase}.md`);

/**
 * Writes the reports of what is over into the run's folder: of each phase whose steps have all ended, and of the run. `written` holds those that are
 * there, by file, and what is in it is not written again. Answers the files.
 */
export async function writeReports(sources: ReportSources, runId: string, written: Set<string>): Promise<string[]> {
  const events = await sources.store.read(runStream(runId));
  const state = fold(events);
  const due = [...phasesOf(state).flatMap((p) => (p.isOver ? [p.name] : [])), ...(state.status === "finished" ? [undefined] : [])].filter(
    (phase) => !written.has(reportFile(sources.home, runId, phase)),
  );
  const files: string[] = [];
  for (const phase of due) {
    const text = await reportOf(sources, runId, events, phase);
    if (text === undefined) continue;
    const file = reportFile(sources.home, runId, phase);
    mkdirSync(runFolder(sources.home, runId), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    written.add(file);
    files.push(file);
  }
  return files;
}
