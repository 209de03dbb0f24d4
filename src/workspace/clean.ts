import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "./create.ts";
import { WorkspaceError } from "./errors.ts";
import { branchRef } from "./merge.ts";
import { attemptNames, dirtyRef, runFolder, runRefs, workspacesFolder } from "./naming.ts";
import { removeTree } from "./remove-tree.ts";
import type { ProjectGit } from "./repository-git.ts";

export async function releaseSnapshots({ git, home }: Site, runId: string, attempts?: readonly string[]): Promise<void> {
  const there = await refsBelow(git, runRefs(runId), dirtyRef(runId));
  const wanted = attempts && new Set(attempts.map((attempt) => attemptNames(home, attempt).ref));
  await deleteRefs(git, wanted ? there.filter((ref) => wanted.has(ref)) : there);
}

export async function cleanRun(site: Site, runId: string, options: { branch?: boolean; keep?: readonly string[] } = {}): Promise<void> {
  const name = `stepfall/${runId}`;
  if (options.branch) {
    await refuseCheckedOut(site, name);
    await deleteRefs(site.git, await refsBelow(site.git, runRefs(runId), dirtyRef(runId), branchRef({ name })));
  }
  const folder = runFolder(site.home, runId);
  const kept = new Set((options.keep ?? []).map((attempt) => attemptNames(site.home, attempt).root));
  if (kept.size === 0) return removeTree(folder, workspacesFolder(site.home));
  const roots = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  await Promise.all(roots.filter((root) => !kept.has(root)).map((root) => removeTree(root, workspacesFolder(site.home))));
}

export async function listLeftovers(home: string): Promise<string[]> {
  const entries = await readdir(workspacesFolder(home), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort();
}

async function refsBelow(git: ProjectGit, ...patterns: string[]): Promise<string[]> {
  return (await git.refs(["for-each-ref", "--format=%(refname)", ...patterns])).stdout
    .toString("utf8")
    .split("\n")
    .filter((ref) => ref !== "");
}

async function deleteRefs(git: ProjectGit, refs: readonly string[]): Promise<void> {
  if (refs.length > 0)
    await git.refs(["update-ref", "--no-deref", "-z", "--stdin"], { input: refs.map((ref) => `delete ${ref}\0\0`).join("") });
}

/** To delete a branch somebody stands on would leave them without a HEAD. */
async function refuseCheckedOut({ git }: Site, name: string): Promise<void> {
  const { stdout } = await git.refs(["worktree", "list", "--porcelain", "-z"]);
  const records = stdout.toString("utf8").split("\0");
  const at = records.indexOf(`branch ${branchRef({ name })}`);
  if (at < 0) return;
  const where = records
    .slice(0, at)
    .findLast((r) => r.startsWith("worktree "))
    ?.slice("worktree ".length);
  throw new WorkspaceError("BRANCH_IN_USE", `The branch ${name} is checked out in ${where}.`, "Switch to another branch there first.");
}
