import { userInfo } from "node:os";
import { ACTOR_VARIABLE } from "../../control/launch.ts";
import { request, type Asking } from "../../control/request.ts";
import type { RunState } from "../../domain/index.ts";
import type { Store } from "../../store/index.ts";
import { GitFailed, openProject, openWorkspaces, type Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError } from "../../setup/failure.ts";
import { loadRun, projectHere } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { plural } from "../show/format.ts";

/** Who asks, for the journal: the person at the terminal, or in whose name a server has started this process. */
export function actorOf(cli: Pick<Cli, "env">): string {
  const given = cli.env[ACTOR_VARIABLE];
  if (given !== undefined && /^[a-z]+:[^\s:][^\r\n]{0,99}$/.test(given)) return given;
  const name = cli.env["USER"] || cli.env["LOGNAME"];
  if (name) return `cli:${name}`;
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return "cli";
  }
}

/** The person at this terminal, asking. */
export const askingAs = (cli: Pick<Cli, "env" | "clock">, store: Store): Asking => ({ store, clock: cli.clock, actor: actorOf(cli) });

/** The project of a run: the work tree the person stands in when it is one of it, else where the run was started. */
async function projectOf(cli: Cli, state: RunState): Promise<Project> {
  const here = await projectHere(cli);
  if (here?.top === state.project) return here;
  const there = await openProject(state.project, { env: cli.env });
  return here?.id === there.id ? here : there;
}

/** Merges a run's branch into what is checked out, and records it. Prints what it did. */
export async function mergeRun(cli: Cli, runId: string, options: { partial: boolean; quiet?: boolean }): Promise<number> {
  return withStore(cli, async (store) => {
    const state = await loadRun(store, runId);
    if (!options.partial) refuseUnfinished(state);
    const project = await projectOf(cli, state);
    const workspaces = openWorkspaces({ project, home: homeOf(cli) });
    const branch = { runId, name: state.branch };
    try {
      const tip = await workspaces.tip(branch).catch((error: unknown) => {
        // A failure of git itself is one; that the branch is not there is something to explain.
        if (error instanceof GitFailed) throw error;
        return undefined;
      });
      if (tip === undefined) throw branchGone(state, readOptions(homeOf(cli), runId).cleaned !== undefined);
      if (tip === state.base)
        throw new RequestError("NOTHING_TO_MERGE", `run ${runId} changed nothing`, "Its branch stands where the run began.", Exit.ok);
      const stat = await workspaces.diffStat(state.base, tip);
      const merged = await workspaces.mergeIntoCurrent(branch, `Merge run ${runId} (${state.pipeline.name})`);
      const isNew = (s: RunState): boolean => s.mergedInto?.into !== merged.into || s.mergedInto.commit !== merged.commit;
      await request(askingAs(cli, store), runId, (s) => (isNew(s) ? { type: "RunMerged", data: merged } : undefined));
      if (options.quiet) return Exit.ok;
      if (cli.json) cli.out.json({ version: 1, runId, branch: state.branch, ...merged, project: project.top, files: stat.files });
      else if (!isNew(state)) cli.out.data(`${state.branch} is in ${merged.into} already (${merged.commit.slice(0, 12)})`);
      else
        cli.out.data(
          `merged ${state.branch} into ${merged.into} (${merged.commit.slice(0, 12)}) in ${project.top}: ${plural(stat.files.length, "file")} changed`,
        );
      return Exit.ok;
    } finally {
      await workspaces.close();
    }
  });
}

function branchGone(state: RunState, wasCleaned: boolean): RequestError {
  const { runId, mergedInto } = state;
  const hint = mergedInto
    ? `It was merged into ${mergedInto.into} before, as ${mergedInto.commit.slice(0, 12)}: git merge ${mergedInto.commit.slice(0, 12)}`
    : "It was never merged. The journal and the bill are what is left: `stepfall show` and `stepfall cost`.";
  return new RequestError(
    "BRANCH_GONE",
    `run ${runId} ${wasCleaned ? "was cleaned: its branch" : "has no branch any more:"} ${state.branch} is gone`,
    hint,
  );
}

function refuseUnfinished(state: RunState): void {
  if (state.status === "finished" && state.outcome === "succeeded") return;
  const done = [...state.steps.values()].filter((s) => s.status === "completed").length;
  const is = state.status !== "finished" ? "is not over" : state.outcome === "cancelled" ? "was cancelled" : state.outcome;
  throw new RequestError(
    "RUN_UNFINISHED",
    `run ${state.runId} ${is}: ${done} of ${plural(state.steps.size, "step")} completed`,
    "--partial merges what is there.",
  );
}
