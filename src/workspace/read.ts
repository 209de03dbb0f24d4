import { stat } from "node:fs/promises";
import type { DiffStat, RegularFile, Workspace } from "./contract.ts";
import { mustBeRealFolder, placeOf, type Site } from "./create.ts";
import { literalBase, matcher } from "./matching.ts";
import type { ProjectGit } from "./repository-git.ts";
import { splitNames } from "./status.ts";

export async function list(git: ProjectGit, commit: string, globs?: readonly string[]): Promise<string[]> {
  const paths = splitNames((await git.objects(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit])).stdout);
  return globs ? paths.filter(matcher(globs)) : paths;
}

/** The globs that match nothing in a commit. */
export async function missing({ git, made }: Site, commit: string, globs: readonly string[]): Promise<string[]> {
  const absentFrom = (paths: readonly string[], of: readonly string[]): string[] => of.filter((glob) => !paths.some(matcher([glob])));
  const left = absentFrom(made.get(commit)?.holds ?? [], globs);
  return left.length === 0 ? [] : absentFrom(await list(git, commit), left);
}

export async function readFileAt(git: ProjectGit, commit: string, path: string): Promise<Uint8Array | undefined> {
  const entry = await blobAt(git, commit, path);
  return entry && (await git.objects(["cat-file", "blob", entry.id])).stdout;
}

export async function readRegularAt(git: ProjectGit, commit: string, path: string, maxBytes: number): Promise<RegularFile | undefined> {
  const entry = await blobAt(git, commit, path);
  if (!entry) return undefined;
  if (entry.mode === "120000") return { kind: "link" };
  if (entry.bytes > maxBytes) return { kind: "large" };
  return { kind: "file", bytes: (await git.objects(["cat-file", "blob", entry.id])).stdout };
}

async function blobAt(git: ProjectGit, commit: string, path: string): Promise<{ mode: string; id: string; bytes: number } | undefined> {
  const name = path.replace(/^(\.?\/)+/, "").replace(/\/+$/, "");
  if (name === "") return undefined;
  const [entry = ""] = (await git.objects(["ls-tree", "-l", "-z", "--full-tree", commit, "--", name])).stdout.toString("utf8").split("\0");
  const [mode = "", type, id, bytes] = entry.slice(0, entry.indexOf("\t")).split(/ +/);
  return type === "blob" && id ? { mode, id, bytes: Number(bytes) } : undefined;
}

export async function diffStat(git: ProjectGit, from: string, to: string): Promise<DiffStat> {
  const { stdout } = await git.objects(["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", from, to]);
  const files = splitNames(stdout).map((record) => {
    const [added = "", removed = "", ...path] = record.split("\t");
    return { path: path.join("\t"), added: Number(added) || 0, removed: Number(removed) || 0, binary: added === "-" };
  });
  return { files };
}

export async function diff(
  git: ProjectGit,
  from: string,
  to: string,
  options: { paths?: readonly string[]; maxBytes?: number } = {},
): Promise<string> {
  const args = ["diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", from, to, "--", ...(options.paths ?? [])];
  const { stdout, wasCut } = await git.objects(args, {
    cut: true,
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
  });
  return wasCut ? `${stdout.toString("utf8").replace(/�$/, "")}\n[cut after ${stdout.length} bytes]\n` : stdout.toString("utf8");
}

const maxIgnored = 16 * 1024 * 1024;

/** Files in a workspace that match the globs and that .gitignore keeps out of a snapshot. */
export async function ignored(git: ProjectGit, workspace: Pick<Workspace, "root">, globs: readonly string[]): Promise<string[]> {
  const { tree, gitDir } = placeOf(workspace.root);
  await mustBeRealFolder(tree);
  // Only the folders the globs name are walked: node_modules alone may hold a hundred thousand files.
  const bases = globs.map(literalBase);
  const there = (
    await Promise.all(
      bases.map((base) =>
        stat(`${tree}/${base}`).then(
          () => base,
          () => undefined,
        ),
      ),
    )
  ).filter((base) => base !== undefined);
  if (there.length === 0) return [];
  const where = there.includes("") ? [] : ["--", ...there];
  const { stdout } = await git.tree(gitDir, tree)(["ls-files", "--others", "--ignored", "--exclude-standard", "-z", ...where], {
    maxBytes: maxIgnored,
    cut: true,
  });
  return splitNames(stdout).filter(matcher(globs)).sort();
}
