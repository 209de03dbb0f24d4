import { cleanRun, listLeftovers, releaseSnapshots } from "./clean.ts";
import type { Workspaces } from "./contract.ts";
import { createCheckout, createWorkspace, removeWorkspace, reopenWorkspace, type Site } from "./create.ts";
import { snapshotDirty } from "./dirty.ts";
import { GitFailed, WorkspaceError } from "./errors.ts";
import { advance, contains, createRunBranch, prepareMerge, tipOf } from "./merge.ts";
import { mergeIntoCurrent } from "./merge-into-current.ts";
import type { Project } from "./project.ts";
import { diff, diffStat, ignored, list, missing, readFileAt, readRegularAt } from "./read.ts";
import { RefWriter } from "./refs.ts";
import { projectGit } from "./repository-git.ts";
import { takeSnapshot } from "./snapshot.ts";

export interface WorkspacesOptions {
  project: Project;
  /** STEPFALL_HOME, absolute. Workspaces lie in `<home>/workspaces`. */
  home: string;
  /** Ends git processes that are under way; their calls reject with GIT_STOPPED. */
  signal?: AbortSignal;
}

/** Touches nothing before its first use. Several may be open on one project, in one process or in many. */
export function openWorkspaces({ project, home, signal }: WorkspacesOptions): Workspaces {
  const git = projectGit(project, home, signal);
  const site: Site = { project, home, git, refs: new RefWriter(git.refs), made: new Map() };
  const underWay = new Set<Promise<unknown>>();
  /** What is promised: every failure is a WorkspaceError, and `close` waits for it. */
  const call = <T>(work: () => Promise<T>, mayRepeat = true): Promise<T> => {
    const answer = (mayRepeat ? again(work) : (async () => work())()).catch((cause: unknown) => {
      if (cause instanceof WorkspaceError) throw cause;
      throw new WorkspaceError("WORKSPACE_IO", (cause as Error).message, "See that the disk has space and the folder can be written to.", {
        cause,
      });
    });
    underWay.add(answer);
    const forget = (): void => void underWay.delete(answer);
    answer.then(forget, forget);
    return answer;
  };

  return {
    createRunBranch: (branch, base) => call(() => createRunBranch(git, branch, base)),
    tip: (branch) =>
      call(async () => {
        const tip = await tipOf(git, branch);
        if (tip) return tip;
        throw new WorkspaceError(
          "GIT_FAILED",
          `There is no branch ${branch.name}.`,
          "It was deleted or renamed: make it again at the commit the run stood at.",
        );
      }),
    create: (request) => call(() => createWorkspace(site, request)),
    reopen: (request) => call(() => reopenWorkspace(site, request)),
    snapshot: (request) => call(() => takeSnapshot(site, request)),
    checkout: (request) => call(() => createCheckout(site, request)),
    remove: ({ root }) => call(() => removeWorkspace(site, root)),
    prepareMerge: (request) => call(() => prepareMerge(site, request)),
    advance: (branch, onto, commit) => call(() => advance(git, branch, onto, commit)),
    contains: (of, commit) => call(() => contains(git, of, commit)),
    releaseSnapshots: (runId, attempts) => call(() => releaseSnapshots(site, runId, attempts)),
    snapshotDirty: (request) => call(() => snapshotDirty(site, request)),
    list: (commit, globs) => call(() => list(git, commit, globs)),
    missing: (commit, globs) => call(() => missing(site, commit, globs)),
    readFile: (commit, path) => call(() => readFileAt(git, commit, path)),
    readRegular: (commit, path, maxBytes) => call(() => readRegularAt(git, commit, path, maxBytes)),
    ignored: (workspace, globs) => call(() => ignored(git, workspace, globs)),
    diffStat: (from, to) => call(() => diffStat(git, from, to)),
    diff: (from, to, options) => call(() => diff(git, from, to, options)),
    mergeIntoCurrent: (branch, message) => call(() => mergeIntoCurrent(site, branch, message), false),
    cleanRun: (runId, options) => call(() => cleanRun(site, runId, options)),
    listLeftovers: () => call(() => listLeftovers(home)),
    close: async () => {
      await Promise.allSettled(underWay);
    },
  };
}

/**
 * Done once more when the git runner died under it: this process then starts git itself. All our work on a repository of ours may be done
 * twice; a branch that the lost git has moved after all answers with where it stands.
 */
async function again<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitFailed) || !error.isLost) throw error;
    return work();
  }
}
