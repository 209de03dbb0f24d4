import { stat } from "node:fs/promises";
import { join } from "node:path";
import { only } from "./commit.ts";
import type { RunBranch } from "./contract.ts";
import type { Site } from "./create.ts";
import { GitFailed, WorkspaceError } from "./errors.ts";
import { branchRef, tipOf } from "./merge.ts";
import { splitNames } from "./status.ts";

/**
 * The one place where the user's checkout is changed, because they asked. A merge that does not go through is taken back, so that
 * the checkout is as before; what was uncommitted stays uncommitted.
 */
export async function mergeIntoCurrent(
  { project, git }: Site,
  branch: RunBranch,
  message: string,
): Promise<{ into: string; commit: string }> {
  const ref = await git.user(["symbolic-ref", "--quiet", "HEAD"], { accept: [0, 1] });
  if (ref.code !== 0)
    throw new WorkspaceError(
      "MERGE_DETACHED",
      `No branch is checked out in ${project.top}.`,
      "Check out the branch that shall get the result: git switch BRANCH",
    );
  const into = only(ref).replace("refs/heads/", "");
  for (const state of ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"]) {
    if (await stat(join(project.gitDir, state)).catch(() => undefined))
      throw new WorkspaceError(
        "MERGE_DIRTY",
        `${project.top} is in the middle of something (${state}).`,
        "Finish it or abort it, then merge again.",
      );
  }
  if (!(await tipOf(git, branch)))
    throw new WorkspaceError("GIT_FAILED", `There is no branch ${branch.name}.`, "See `git branch --list 'stepfall/*'`.");
  const is = await git.user(["merge-base", "--is-ancestor", branchRef(branch), "HEAD"], { accept: [0, 1] });
  if (is.code === 1) await merge({ project, git }, branch, message);
  return { into, commit: only(await git.user(["rev-parse", "HEAD"])) };
}

async function merge({ project, git }: Pick<Site, "project" | "git">, branch: RunBranch, message: string): Promise<void> {
  // By its short name: the message of a hook or a `git log --merges` then reads as if they had typed it.
  const args = ["merge", "--no-ff", "--no-edit", "-m", message, branch.name];
  const { code, stdout, stderr } = await git.user(args, { accept: [0, 1, 2, 128] });
  if (code === 0) return;
  const overlapping = namedAfter(stderr, /would be overwritten by merge/);
  if (overlapping.length > 0)
    throw new WorkspaceError(
      "MERGE_DIRTY",
      `Uncommitted changes in ${project.top} are in the way: ${overlapping.slice(0, 5).join(", ")}.`,
      "Commit or stash them, then merge again.",
      { paths: overlapping },
    );
  const conflicts = await git.user(["diff", "--name-only", "--diff-filter=U", "-z", "--no-ext-diff"]);
  const paths = splitNames(conflicts.stdout).sort();
  // Only a merge of our own making is aborted: before it there was none.
  if (await stat(join(project.gitDir, "MERGE_HEAD")).catch(() => undefined)) await git.user(["merge", "--abort"]);
  if (paths.length > 0)
    throw new WorkspaceError(
      "MERGE_CONFLICT",
      `${branch.name} conflicts with what is checked out in ${project.top}: ${paths.slice(0, 5).join(", ")}. Nothing was changed.`,
      `To solve it by hand: git merge ${branch.name}`,
      { paths },
    );
  throw new GitFailed(args, code, stderr.trim() || stdout.toString("utf8"));
}

/** git lists paths below its sentence, each after a tab. */
function namedAfter(stderr: string, sentence: RegExp): string[] {
  const lines = stderr.split("\n");
  return lines.some((l) => sentence.test(l)) ? lines.filter((l) => l.startsWith("\t")).map((l) => l.slice(1)) : [];
}
