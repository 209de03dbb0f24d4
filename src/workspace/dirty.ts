import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { readChanges, stage } from "./changes.ts";
import { only, writeCommit } from "./commit.ts";
import type { DirtySnapshot, DirtySnapshotRequest } from "./contract.ts";
import type { Site } from "./create.ts";
import { WorkspaceError } from "./errors.ts";
import { dirtyRef } from "./naming.ts";
import { copyIndex } from "./repository.ts";
import { splitNames, type StatusEntry } from "./status.ts";

/** Commits the user's uncommitted work through an index of our own: their index, files and refs stay as they are. */
export async function snapshotDirty(site: Site, { runId, at }: DirtySnapshotRequest): Promise<DirtySnapshot | undefined> {
  const { project, git, home } = site;
  await mkdir(home, { recursive: true });
  const scratch = await mkdtemp(join(home, "dirty-"));
  try {
    const index = join(scratch, "index");
    const env = { GIT_INDEX_FILE: index };
    const head = only(await git.dirty(["rev-parse", "--verify", "HEAD^{commit}"]));
    const users = join(project.gitDir, "index");
    if (await stat(users).catch(() => undefined)) await copyIndex(users, index);
    else await git.dirty(["read-tree", head], { env });

    const changes = await readChanges(git.dirty, project.top, { mayRepair: false, env });
    const unmerged = changes.present.filter((e) => e.kind === "unmerged").map((e) => e.path);
    if (unmerged.length > 0)
      throw new WorkspaceError(
        "MERGE_CONFLICT",
        `${project.top} has unsolved conflicts: ${unmerged.slice(0, 5).join(", ")}.`,
        "Solve them, or start without the uncommitted changes.",
        { paths: unmerged },
      );
    await refuseFiltered(site, changes.present);

    await stage(git.dirty, changes, env);
    const tree = only(await git.dirty(["write-tree"], { env }));
    const paths = splitNames((await git.objects(["diff-tree", "-r", "-z", "--name-only", "--no-renames", head, tree])).stdout).sort();
    if (paths.length === 0) return undefined;
    const commit = await writeCommit(git.objects, site.project, {
      tree,
      parents: [head],
      title: "Uncommitted changes at the start of the run",
      trailers: { "Stepfall-Run": runId },
      at,
    });
    await git.refs(["update-ref", dirtyRef(runId), commit]);
    return { commit, paths, leftOut: changes.refused };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A file behind a filter (an encrypting one, say) must not get into the object store as it is on disk. */
async function refuseFiltered({ project, git }: Site, entries: readonly StatusEntry[]): Promise<void> {
  if (project.config.filters.length === 0 || entries.length === 0) return;
  const input = Buffer.from(`${entries.map((e) => e.bytes).join("\0")}\0`, "latin1");
  const fields = (await git.dirty(["check-attr", "-z", "--stdin", "filter"], { input })).stdout.toString("utf8").split("\0");
  const paths: string[] = [];
  for (let i = 0; i + 2 < fields.length; i += 3) if (project.config.filters.includes(fields[i + 2] ?? "")) paths.push(fields[i] ?? "");
  if (paths.length === 0) return;
  throw new WorkspaceError(
    "DIRTY_FILTERED",
    `Uncommitted files go through a git filter, which Stepfall does not run: ${paths.slice(0, 5).join(", ")}.`,
    "Commit them first, or start without the uncommitted changes.",
    { paths },
  );
}
