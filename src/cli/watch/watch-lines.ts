import { setTimeout as sleep } from "node:timers/promises";
import { emptyRun } from "../../domain/index.ts";
import type { Cli } from "../cli.ts";
import { openView, type View } from "../progress/view.ts";
import { plural } from "../show/format.ts";
import { commandLine } from "../show/summary.ts";
import type { Lookout, SeenRun } from "./lookout.ts";

const LOOK_MS = 300;

/**
 * A line, or with `--json` an object, for every event; of a named run from its beginning until it is over or nobody drives it, else of all runs until
 * nobody reads any more.
 */
export async function watchInLines(cli: Cli, lookout: Lookout, only: string | undefined): Promise<void> {
  const views = new Map<string, View>();
  const viewOf = async (run: SeenRun, isOld: boolean): Promise<View> => {
    const { runId, pipeline } = run.row;
    const known = views.get(runId);
    if (known) return known;
    const { out } = cli;
    const note = (text: string): void => out.note(only === undefined ? `${runId} ${text}` : text);
    const from = isOld ? structuredClone(run.state) : emptyRun();
    const view = await openView({ ...cli, out: { ...out, json: (value) => out.json(value), note, terminal: undefined } }, from);
    views.set(runId, view);
    if (!cli.json && run.row.endedAt === undefined) view.note(`${pipeline}: ${plural(run.state.steps.size, "step")}, ${run.row.status}`);
    return view;
  };
  const told = new Set<string>();
  let isFirst = true;
  while (!cli.out.unread.aborted) {
    for (const { run, events, isOld } of await lookout.look()) {
      const view = await viewOf(run, isOld);
      for (const e of events) view.take({ kind: "event", at: e.at, version: e.version, event: e.event });
    }
    for (const run of lookout.runs) for (const item of run.live.values()) views.get(run.row.runId)?.take(item);
    for (const run of lookout.runs)
      if (!run.isUndriven) told.delete(run.row.runId);
      else if (!told.has(run.row.runId)) tellUndriven(cli, run, told, only);
    const [run] = lookout.runs;
    if (only !== undefined && (!run || run.row.endedAt !== undefined || run.isUndriven)) return;
    if (isFirst && only === undefined && views.size === 0) cli.out.note("Nothing is under way. What begins now is told.");
    isFirst = false;
    await sleep(LOOK_MS);
  }
}

function tellUndriven(cli: Cli, { row }: SeenRun, told: Set<string>, only: string | undefined): void {
  told.add(row.runId);
  if (cli.json) cli.out.json({ version: 1, type: "undriven", runId: row.runId, status: row.status });
  else if (only === undefined) cli.out.note(`${row.runId} nobody drives it now. Go on with: ${commandLine(cli, "resume", row.runId)}`);
  else cli.out.note(`Nobody drives this run now. Go on with: ${commandLine(cli, "resume", row.runId)}`);
}
