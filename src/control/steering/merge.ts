import type { RunState } from "../../domain/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { loadRun } from "../../setup/find-run.ts";
import { readOptions } from "../../setup/run-options.ts";
import { GitFailed, openWorkspaces, WorkspaceError, type DiffStat, type Project } from "../../workspace/index.ts";
import type { Merged } from "../contract.ts";
import { ControlError } from "../errors.ts";
import { request, type Asking } from "../request.ts";

export interface MergeWanted {
  home: string;
  /** The work tree of the run's project that gets it. */
  project: Project;
  /** Also of a run that failed or is not over. */
  partial: boolean;
}

export interface MergeDone extends Merged {
  /** The run's. */
  branch: string;
  /** Top folder of the work tree. */
  project: string;
  /** What the run has changed. */
  files: DiffStat["files"];
}

/**
 * Brings a run's result into what is checked out, as the user would: with their config, identity and hooks. Recorded after it is done: one that was killed
 * in between is found to be there, and recorded, by the next.
 */
export async function mergeRun(asking: Asking, runId: string, { home, project, partial }: MergeWanted): Promise<MergeDone> {
  const state = await loadRun(asking.store, runId);
  if (!partial) refuseUnfinished(state);
  const workspaces = openWorkspaces({ project, home });
  const branch = { runId, name: state.branch };
  try {
    const tip = await workspaces.tip(branch).catch((error: unknown) => {
      // A failure of git itself is one; that the branch is not there is something to explain.
      if (error instanceof GitFailed) throw error;
      return undefined;
    });
    if (tip === undefined) throw branchGone(state, readOptions(home, runId).cleaned !== undefined);
    if (tip === state.base)
      throw new RequestError("NOTHING_TO_MERGE", `run ${runId} changed nothing`, "Its branch stands where the run began.", 0);
    const { files } = await workspaces.diffStat(state.base, tip);
    const { into, commit, already } = await workspaces.mergeIntoCurrent(branch, `Merge run ${runId} (${state.pipeline.name})`);
    const isKnown = ({ mergedInto }: RunState): boolean => already && mergedInto?.into === into;
    const { state: before } = await request(asking, runId, (s) => (isKnown(s) ? undefined : { type: "RunMerged", data: { into, commit } }));
    // Whatever was committed there since, this is the commit that brought it.
    const brought = isKnown(before) ? (before.mergedInto?.commit ?? commit) : commit;
    return { runId, branch: state.branch, into, commit: brought, already, project: project.top, files };
  } catch (error) {
    throw named(error, state.branch);
  } finally {
    await workspaces.close();
  }
}

/** Of what stands in the way every file, not only those that fit into the sentence; and what the user's own hooks and signing say. */
function named(error: unknown, branch: string): unknown {
  if (error instanceof GitFailed && subcommand(error) === "merge")
    return new ControlError(
      "MERGE_REFUSED",
      `git did not take the merge, and nothing was changed: ${error.stderr.trim().slice(0, 2000) || `exit ${error.exitCode}`}`,
      `Mend what your hook or your signing says. To see it by hand: git merge ${branch}`,
      { cause: error },
    );
  if (!(error instanceof WorkspaceError) || error.paths.length === 0) return error;
  const { code, message, hint } = error;
  return new ControlError(code, message, hint, { cause: error, problems: error.paths.map((file) => ({ code, message, hint, file })) });
}

const subcommand = ({ args }: GitFailed): string | undefined => args[0];

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
    `run ${state.runId} ${is}: ${done} of ${state.steps.size} ${state.steps.size === 1 ? "step" : "steps"} completed`,
    "--partial merges what is there.",
  );
}
