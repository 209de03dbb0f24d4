import { copyFile, mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Project } from "./project.ts";

export interface RepositoryPlan {
  /** The git folder to make. */
  dir: string;
  /** A branch of its own, or detached at the commit. */
  head: { commit: string; branch?: string };
  /** Lines after the [core] section. */
  config?: string;
}

/**
 * Lays a repository out by writing the few files git needs, which saves a `git init`. Its objects are the project's, through
 * `alternates`, which git reads and never writes. It has no hooks and no remotes.
 */
export async function layOutRepository(project: Project, { dir, head, config = "" }: RepositoryPlan): Promise<void> {
  const [exclude, shallow] = await Promise.all([
    readIfThere(join(project.commonDir, "info/exclude")),
    readIfThere(join(project.commonDir, "shallow")),
  ]);
  // On a busy disk each new file costs a millisecond: nothing is made that git can do without.
  const hasExcludes = exclude
    ?.toString("latin1")
    .split("\n")
    .some((line) => line.trim() !== "" && !line.startsWith("#"));
  const folders = ["objects/info", "refs/heads", ...(hasExcludes ? ["info"] : [])];
  await Promise.all(folders.map((folder) => mkdir(join(dir, folder), { recursive: true })));
  await Promise.all([
    writeFile(join(dir, "HEAD"), head.branch ? `ref: refs/heads/${head.branch}\n` : `${head.commit}\n`),
    ...(head.branch ? [writeFile(join(dir, "refs/heads", head.branch), `${head.commit}\n`)] : []),
    writeRepositoryConfig(project, dir, config),
    writeFile(join(dir, "objects/info/alternates"), `${quoted(project.objectsDir)}\n`),
    ...(exclude && hasExcludes ? [writeFile(join(dir, "info/exclude"), exclude)] : []),
    ...(shallow ? [writeFile(join(dir, "shallow"), shallow)] : []),
  ]);
}

export async function writeRepositoryConfig(project: Project, dir: string, more = ""): Promise<void> {
  const isMac = process.platform === "darwin";
  const lines = [
    "[core]",
    `\trepositoryformatversion = ${project.objectFormat === "sha256" ? 1 : 0}`,
    "\tfilemode = true",
    "\tbare = false",
    "\tlogallrefupdates = true",
    ...(isMac ? ["\tignorecase = true", "\tprecomposeunicode = true"] : []),
    ...(project.objectFormat === "sha256" ? ["[extensions]", "\tobjectformat = sha256"] : []),
  ];
  await writeFile(join(dir, "config"), `${lines.join("\n")}\n${more}`);
}

/** The agent's own repository: it may commit there, or break it; nothing of ours reads it. */
export async function layOutPrivateRepository(project: Project, tree: string, commit: string, index: string): Promise<void> {
  const dir = join(tree, ".git");
  const config = "[user]\n\tname = Agent\n\temail = agent@localhost\n[commit]\n\tgpgsign = false\n[gc]\n\tauto = 0\n";
  await layOutRepository(project, { dir, head: { commit, branch: "work" }, config });
  await copyIndex(index, join(dir, "index"));
}

/**
 * Copies an index with its time. git takes an entry whose file is as new as the index for doubtful and compares its
 * content; a copy with a later time would let an edit within the same second pass unseen.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const seconds = Math.floor(mtimeMs / 1000);
  await utimes(to, seconds, seconds);
}

/** A line of `alternates`: C-quoted when a name would break the line. */
function quoted(path: string): string {
  if (!/[\n"\\]/.test(path)) return path;
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

const readIfThere = (path: string): Promise<Buffer | undefined> => readFile(path).catch(() => undefined);
