import { createInterface } from "node:readline/promises";
import type { RunState } from "../../domain/index.ts";
import type { RunRow, Store } from "../../store/index.ts";
import { openProject, openWorkspaces, type Project, type Workspaces } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun, loadRun, projectHere } from "../../setup/find-run.ts";
import { clearRunFolder, readOptions } from "../../setup/run-options.ts";
import { ScriptedModels } from "../../setup/scripted-models.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { plural } from "../show/format.ts";

interface Cleaned {
  runId: string;
  /** `kept`: it holds work that is nowhere else. */
  branch: "deleted" | "kept" | "gone";
}

/** `stepfall clean [RUN|--all]`: removes what finished runs left. Their journal and their bill stay. */
export async function clean(cli: Cli, given: string | undefined, options: { all: boolean; yes: boolean; force: boolean }): Promise<number> {
  if (options.all && given !== undefined) throw new RequestError("USAGE", "a run and --all were given", "Give one of the two.");
  return withStore(cli, async (store) => {
    const over = options.all ? await finishedHere(cli, store) : [await finished(cli, store, given)];
    const rows: RunRow[] = [];
    for (const row of over) if (await hasLeft(cli, row, options.force)) rows.push(row);
    if (rows.length === 0) {
      if (cli.json) cli.out.json({ version: 1, cleaned: [] });
      else if (over.length === 0) cli.out.note("No finished run to clean.");
      else cli.out.note(await nothingLeft(cli, over));
      return Exit.ok;
    }
    if (!options.yes) await confirm(cli, rows);
    const cleaned: Cleaned[] = [];
    for (const row of rows) cleaned.push(await cleanOne(cli, await loadRun(store, row.runId), options.force));
    if (cli.json) cli.out.json({ version: 1, cleaned });
    else
      for (const c of cleaned)
        cli.out.data(`cleaned ${c.runId}${c.branch === "kept" ? `; its branch stays: it was not merged (--force deletes it)` : ""}`);
    return Exit.ok;
  });
}

const isOver = (row: RunRow): boolean => row.status === "succeeded" || row.status === "failed" || row.status === "cancelled";

async function finishedHere(cli: Cli, store: Store): Promise<RunRow[]> {
  const here = await projectHere(cli);
  return (await store.runs(here ? { project: here.top } : {})).filter(isOver);
}

async function finished(cli: Cli, store: Store, given: string | undefined): Promise<RunRow> {
  const row = await findRun(cli, store, given);
  if (isOver(row)) return row;
  throw new RequestError(
    "RUN_UNFINISHED",
    `run ${row.runId} is not over`,
    "End it with `stepfall cancel` or finish it with `stepfall resume` first.",
  );
}

/** False for a run that was cleaned, and whose branch is gone or has to stay. */
async function hasLeft(cli: Cli, row: RunRow, force: boolean): Promise<boolean> {
  const { cleaned } = readOptions(homeOf(cli), row.runId);
  if (cleaned !== "but-branch") return cleaned === undefined;
  return (await branchOf(cli, row, force)) === "deletable";
}

async function nothingLeft(cli: Cli, rows: readonly RunRow[]): Promise<string> {
  const kept: string[] = [];
  for (const row of rows)
    if (readOptions(homeOf(cli), row.runId).cleaned === "but-branch" && (await branchOf(cli, row, false)) === "unmerged")
      kept.push(row.branch);
  const was = rows.length === 1 ? `Run ${rows[0]?.runId} was cleaned already.` : `All ${rows.length} finished runs were cleaned already.`;
  return kept.length === 0 ? was : `${was} Not merged, so kept (--force deletes): ${kept.join(", ")}`;
}

async function branchOf(cli: Cli, row: RunRow, force: boolean): Promise<"gone" | "deletable" | "unmerged"> {
  const project = await openProject(row.project, { env: cli.env }).catch(() => undefined);
  if (!project) return "gone";
  const workspaces = openWorkspaces({ project, home: homeOf(cli) });
  try {
    const { tip, mayGo } = await lookAtBranch(workspaces, project, row, force);
    return tip === undefined ? "gone" : mayGo ? "deletable" : "unmerged";
  } finally {
    await workspaces.close();
  }
}

async function lookAtBranch(
  workspaces: Workspaces,
  project: Project,
  run: Pick<RunRow, "runId" | "branch" | "base">,
  force: boolean,
): Promise<{ tip: string | undefined; mayGo: boolean }> {
  const tip = await workspaces.tip({ runId: run.runId, name: run.branch }).catch(() => undefined);
  const isElsewhere = tip === undefined || tip === run.base || (await workspaces.contains(project.head, tip));
  return { tip, mayGo: force || isElsewhere };
}

async function confirm(cli: Cli, rows: readonly RunRow[]): Promise<void> {
  const what = `the workspaces, transcripts and branches of ${plural(rows.length, "run")} (${rows
    .slice(0, 3)
    .map((r) => r.runId)
    .join(", ")}${rows.length > 3 ? ", ..." : ""})`;
  if (!cli.canAsk) throw new RequestError("NEEDS_CONFIRMATION", `this would remove ${what}`, "Say --yes to do it.");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Remove ${what}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new RequestError("NEEDS_CONFIRMATION", "nothing was removed", "", Exit.ok);
  } finally {
    lines.close();
  }
}

async function cleanOne(cli: Cli, state: RunState, force: boolean): Promise<Cleaned> {
  const { runId } = state;
  const home = homeOf(cli);
  const scripted = new ScriptedModels(home, runId);
  for (const id of readOptions(home, runId).scripted ?? []) await scripted.stop(id);
  const project = await openProject(state.project, { env: cli.env }).catch(() => undefined);
  const branch = project ? await cleanInProject(project, home, state, force) : "gone";
  clearRunFolder(home, runId, branch === "kept" ? "but-branch" : "all");
  return { runId, branch };
}

async function cleanInProject(project: Project, home: string, state: RunState, force: boolean): Promise<Cleaned["branch"]> {
  const workspaces = openWorkspaces({ project, home });
  try {
    const { tip, mayGo } = await lookAtBranch(workspaces, project, state, force);
    await workspaces.cleanRun(state.runId, { branch: mayGo });
    return tip === undefined ? "gone" : mayGo ? "deleted" : "kept";
  } finally {
    await workspaces.close();
  }
}
