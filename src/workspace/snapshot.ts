import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readChanges, stage, type Changes } from "./changes.ts";
import { only, writeCommit } from "./commit.ts";
import type { Snapshot, SnapshotRequest } from "./contract.ts";
import { mustBeRealFolder, placeOf, type Site } from "./create.ts";
import type { Git } from "./git.ts";
import { matcher, type Matcher } from "./matching.ts";
import { attemptNames } from "./naming.ts";
import { copyIndex, writeRepositoryConfig } from "./repository.ts";
import { splitNames } from "./status.ts";

/** The settings a run is judged by are never an attempt's to change. */
const alwaysProtected = ["stepfall.yaml"];

/**
 * What is in the work tree becomes a commit; what the attempt did with the `.git` in it (commits, index, config) counts for nothing.
 * The work goes on in a copy of the index, so that a snapshot which was cut off can simply be made again.
 */
export async function takeSnapshot(site: Site, request: SnapshotRequest): Promise<Snapshot> {
  const { workspace, base, at } = request;
  const { ref } = attemptNames(site.home, workspace.attempt);
  const { tree, gitDir } = placeOf(workspace.root);
  await mustBeRealFolder(tree);
  // An attempt may have found this folder beside its own: its config is ours again.
  await writeRepositoryConfig(site.project, gitDir);
  const git = site.git.tree(gitDir, tree);
  const index = join(gitDir, `snapshot-${randomBytes(6).toString("hex")}`);
  const env = { GIT_INDEX_FILE: index };
  try {
    await copyIndex(join(gitDir, "index"), index);
    const isProtected = matcher([...alwaysProtected, ...request.protected], { ignoreCase: process.platform === "darwin" });
    const { own, dropped, refused } = divide(await readChanges(git, tree, { mayRepair: true, env }), isProtected);
    if (own.present.length + own.gone.length === 0) return { changed: [], dropped, reverted: [], refused };

    await stage(git, own, env);
    const reverted = base === workspace.from ? [] : await putBack(git, { from: workspace.from, base, isProtected, env });
    const written = only(await git(["write-tree"], { env }));
    const changed =
      reverted.length === 0
        ? [...own.present, ...own.gone].map((e) => e.path).sort()
        : splitNames((await git(["diff-tree", "-r", "-z", "--name-only", "--no-renames", workspace.from, written])).stdout).sort();
    if (changed.length === 0) return { changed, dropped, reverted: [], refused };

    const commit = await writeCommit(git, site.project, {
      tree: written,
      parents: [workspace.from],
      title: request.title,
      trailers: { ...request.trailers, "Stepfall-Attempt": workspace.attempt },
      at,
    });
    await site.refs.set(ref, commit);
    const removed = new Set(reverted);
    site.made.set(commit, { tree: written, parent: workspace.from, holds: own.present.map((e) => e.path).filter((p) => !removed.has(p)) });
    const droppedSet = new Set(dropped);
    return { commit, changed, dropped, reverted: reverted.filter((path) => !droppedSet.has(path)), refused };
  } finally {
    await Promise.all([rm(index, { force: true }), rm(`${index}.lock`, { force: true })]);
  }
}

/** What the attempt may keep. A path that stands where a protected one was cannot be kept beside it. */
function divide(
  changes: Changes,
  isProtected: Matcher,
): { own: Pick<Changes, "present" | "gone">; dropped: string[]; refused: Changes["refused"] } {
  const dropped = [...changes.present, ...changes.gone]
    .map((e) => e.path)
    .filter(isProtected)
    .sort();
  const kept = new Set(changes.gone.map((e) => e.path).filter(isProtected));
  const keptFolders = new Set([...kept].flatMap(foldersAbove));
  const refused = [...changes.refused];
  const present = changes.present.filter(({ path }) => {
    if (isProtected(path)) return false;
    if (!keptFolders.has(path) && !foldersAbove(path).some((folder) => kept.has(folder))) return true;
    refused.push({ path, reason: "it stands where a protected path was, which is put back" });
    return false;
  });
  refused.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { own: { present, gone: changes.gone.filter((e) => !isProtected(e.path)) }, dropped, refused };
}

function foldersAbove(path: string): string[] {
  const out: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) out.push(path.slice(0, end));
  return out;
}

/** Gives every protected path that an earlier step changed the content of `base` again. Answers those paths. */
async function putBack(
  git: Git,
  { from, base, isProtected, env }: { from: string; base: string; isProtected: Matcher; env: Record<string, string> },
): Promise<string[]> {
  const { stdout } = await git(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", from, base]);
  const fields = stdout.toString("latin1").split("\0");
  const removals: string[] = [];
  const additions: string[] = [];
  const paths: string[] = [];
  // :<mode> <mode> <id> <id> <letter> NUL <path> NUL
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [, mode = "", , id = ""] = (fields[i] ?? "").split(" ");
    const bytes = fields[i + 1] ?? "";
    const path = Buffer.from(bytes, "latin1").toString("utf8");
    if (!isProtected(path)) continue;
    paths.push(path);
    (/^0+$/.test(mode) ? removals : additions).push(`${/^0+$/.test(mode) ? "0" : mode} ${id}\t${bytes}\0`);
  }
  if (paths.length > 0)
    await git(["update-index", "-z", "--replace", "--index-info"], {
      input: Buffer.from([...removals, ...additions].join(""), "latin1"),
      env,
    });
  return paths.sort();
}
