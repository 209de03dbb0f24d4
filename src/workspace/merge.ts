import { only, writeCommit } from "./commit.ts";
import type { MergeRequest, MergeResult, RunBranch } from "./contract.ts";
import { WorkspaceError } from "./errors.ts";
import type { Site } from "./create.ts";
import type { ProjectGit } from "./repository-git.ts";

export const branchRef = (branch: Pick<RunBranch, "name">): string => `refs/heads/${branch.name}`;

const maxEvidence = 8 * 1024;

/**
 * Always a merge commit, also where a fast-forward would do: one merge is one step, and its first parent is the run before it. Only
 * objects are written. Merge drivers of .gitattributes (`merge=union`) are not applied: there is no work tree to read them from.
 */
export async function prepareMerge({ git, project, made }: Site, request: MergeRequest): Promise<MergeResult> {
  const { onto, commit, at, title } = request;
  const known = made.get(commit);
  const { tree, parent } = known ?? (await lookUp(git, commit));
  const clean = parent === onto;
  const merged = clean ? ({ kind: "tree", tree } as const) : await mergeTrees(git, onto, commit);
  if (merged.kind === "conflict") return merged;
  const trailers = { "Stepfall-Attempt": request.attempt, "Stepfall-Run": request.branch.runId };
  const merge = await writeCommit(git.objects, project, { tree: merged.tree, parents: [onto, commit], title, trailers, at });
  // A merge without a conflict keeps what one side changed.
  made.set(merge, { tree: merged.tree, parent: onto, holds: known?.holds ?? [] });
  return { kind: "merged", commit: merge, clean };
}

async function lookUp(git: ProjectGit, commit: string): Promise<{ tree: string; parent: string }> {
  const [tree = "", parent = ""] = only(await git.objects(["rev-parse", `${commit}^{tree}`, `${commit}^1`])).split("\n");
  return { tree, parent };
}

async function mergeTrees(
  git: ProjectGit,
  onto: string,
  commit: string,
): Promise<{ kind: "tree"; tree: string } | Extract<MergeResult, { kind: "conflict" }>> {
  const { code, stdout } = await git.objects(["merge-tree", "--write-tree", "-z", "--name-only", "--messages", onto, commit], {
    accept: [0, 1],
  });
  // <tree> NUL (<path> NUL)* NUL (<count> NUL (<path> NUL)* <kind> NUL <message> NUL)*
  const fields = stdout.toString("utf8").split("\0");
  const tree = fields[0] ?? "";
  if (code === 0) return { kind: "tree", tree };
  const end = fields.indexOf("", 1);
  const messages: string[] = [];
  for (let i = end + 1; i < fields.length - 1;) {
    const message = i + Number(fields[i]) + 2;
    if (!(message > i)) break;
    messages.push((fields[message] ?? "").trim());
    i = message + 1;
  }
  const evidence = messages.filter((m) => !m.startsWith("Auto-merging")).join("\n");
  return {
    kind: "conflict",
    paths: [...new Set(fields.slice(1, end))].sort(),
    evidence: evidence.length > maxEvidence ? `${evidence.slice(0, maxEvidence)}\n[cut]` : evidence,
  };
}

export async function tipOf(git: ProjectGit, branch: RunBranch): Promise<string | undefined> {
  const answer = await git.refs(["rev-parse", "--verify", "--quiet", `${branchRef(branch)}^{commit}`], { accept: [0, 1, 128] });
  return answer.code === 0 ? only(answer) : undefined;
}

export async function createRunBranch(git: ProjectGit, branch: RunBranch, base: string): Promise<void> {
  const made = await git.refs(["update-ref", branchRef(branch), base, "0".repeat(base.length)], { accept: [0, 128] });
  if (made.code === 0) return;
  const tip = await tipOf(git, branch);
  // Run ids are never used twice: a branch of this name that grew out of the base is this run's.
  if (tip && (tip === base || (await contains(git, tip, base)))) return;
  if (tip)
    throw new WorkspaceError(
      "BRANCH_EXISTS",
      `The branch ${branch.name} exists already and does not start at ${base}.`,
      `Rename or delete it: git branch -m ${branch.name} NEW-NAME`,
    );
  throw new WorkspaceError(
    "BRANCH_EXISTS",
    `The branch ${branch.name} cannot be made: ${made.stderr.trim()}`,
    "A branch named `stepfall` leaves no room for `stepfall/...`: rename it.",
  );
}

/**
 * Compare-and-swap of the run branch. Only the ref moves, no hook runs: if somebody has the run branch checked out, their files stay
 * as they are and `git status` there shows the difference.
 */
export async function advance(git: ProjectGit, branch: RunBranch, onto: string, commit: string): Promise<{ moved: boolean; tip: string }> {
  const swapped = await git.refs(["update-ref", "-m", "stepfall: merge", branchRef(branch), commit, onto], { accept: [0, 128] });
  if (swapped.code === 0) return { moved: true, tip: commit };
  const tip = await tipOf(git, branch);
  if (tip && tip !== onto) return { moved: false, tip };
  throw new WorkspaceError(
    "GIT_FAILED",
    `The branch ${branch.name} cannot be moved: ${swapped.stderr.trim()}`,
    "See whether the branch and its commits still exist.",
  );
}

export async function contains(git: ProjectGit, of: string, commit: string): Promise<boolean> {
  return (await git.refs(["merge-base", "--is-ancestor", commit, of], { accept: [0, 1] })).code === 0;
}
