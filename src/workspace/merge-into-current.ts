import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { only } from "./commit.ts";
import type { MergedIntoCurrent, RunBranch } from "./contract.ts";
import type { Site } from "./create.ts";
import { GitFailed, WorkspaceError } from "./errors.ts";
import { branchRef, tipOf } from "./merge.ts";
import { splitNames } from "./status.ts";

const INDEX_MS = 10_000;
const INDEX_LOOK_MS = 200;

/**
 * The one place where the user's checkout is changed, because they asked. A merge that does not go through is taken back, so that
 * the checkout is as before; what was uncommitted stays uncommitted.
 */
export async function mergeIntoCurrent({ project, git }: Site, branch: RunBranch, message: string): Promise<MergedIntoCurrent> {
  const ref = await git.user(["symbolic-ref", "--quiet", "HEAD"], { accept: [0, 1] });
  if (ref.code !== 0)
    throw new WorkspaceError(
      "MERGE_DETACHED",
      `No branch is checked out in ${project.top}.`,
      "Check out the branch that shall get the result: git switch BRANCH",
    );
  const into = only(ref).replace("refs/heads/", "");
  for (const state of ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"]) {
    if (await stat(join(project.gitDir, state)).catch(() => undefined)) throw inTheMiddle(project.top, state);
  }
  if (await isIndexLocked(project)) throw atWork(project, "Let it end, then merge again.");
  if (!(await tipOf(git, branch)))
    throw new WorkspaceError("GIT_FAILED", `There is no branch ${branch.name}.`, "See `git branch --list 'stepfall/*'`.");
  const is = await git.user(["merge-base", "--is-ancestor", branchRef(branch), "HEAD"], { accept: [0, 1] });
  if (is.code === 1) await merge({ project, git }, branch, message);
  return { into, commit: only(await git.user(["rev-parse", "HEAD"])), already: is.code === 0 };
}

async function merge({ project, git }: Pick<Site, "project" | "git">, branch: RunBranch, message: string): Promise<void> {
  // By its short name: the message of a hook or a `git log --merges` then reads as if they had typed it.
  const args = ["merge", "--no-ff", "--no-edit", "-m", message, branch.name];
  const { code, stdout, stderr } = await git.user(args, { accept: [0, 1, 2, 128] });
  if (code === 0) return;
  // Somebody else began one in the moment since that was asked: it is not ours to take back.
  if (/You have not concluded your merge|MERGE_HEAD exists/.test(stderr)) throw inTheMiddle(project.top, "MERGE_HEAD");
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
  if (await stat(join(project.gitDir, "MERGE_HEAD")).catch(() => undefined)) await takeBack({ project, git });
  if (paths.length > 0)
    throw new WorkspaceError(
      "MERGE_CONFLICT",
      `${branch.name} conflicts with what is checked out in ${project.top}: ${paths.slice(0, 5).join(", ")}. Nothing was changed.`,
      `To solve it by hand: git merge ${branch.name}`,
      { paths },
    );
  throw new GitFailed(args, code, stderr.trim() || stdout.toString("utf8"));
}

/** A git command that has begun meanwhile (an editor asks for the status again and again) may hold the index: it is waited for. */
async function takeBack({ project, git }: Pick<Site, "project" | "git">): Promise<void> {
  for (const end = performance.now() + INDEX_MS; ; await sleep(INDEX_LOOK_MS)) {
    const { code, stderr } = await git.user(["merge", "--abort"], { accept: [0, 1, 128] });
    if (code === 0) return;
    // Its lock may be gone by now: what was in the way when git looked is in what it said.
    const isInTheWay = stderr.includes("index.lock") || (await isIndexLocked(project));
    if (!isInTheWay) throw new GitFailed(["merge", "--abort"], code, stderr);
    if (performance.now() >= end) throw atWork(project, "The merge was not taken back for it. When it has ended: git merge --abort");
  }
}

const isIndexLocked = async ({ gitDir }: Site["project"]): Promise<boolean> =>
  (await stat(join(gitDir, "index.lock")).catch(() => undefined)) !== undefined;

const atWork = ({ top, gitDir }: Site["project"], hint: string): WorkspaceError =>
  new WorkspaceError(
    "MERGE_DIRTY",
    `Another git command is at work in ${top}.`,
    `${hint} If none is, one has left a file behind: rm ${join(gitDir, "index.lock")}`,
  );

const inTheMiddle = (top: string, state: string): WorkspaceError =>
  new WorkspaceError("MERGE_DIRTY", `${top} is in the middle of something (${state}).`, "Finish it or abort it, then merge again.");

/** git lists paths below its sentence, each after a tab. */
function namedAfter(stderr: string, sentence: RegExp): string[] {
  const lines = stderr.split("\n");
  return lines.some((l) => sentence.test(l)) ? lines.filter((l) => l.startsWith("\t")).map((l) => l.slice(1)) : [];
}
