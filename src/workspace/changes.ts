import { createHash } from "node:crypto";
import { chmod, lstat, readFile } from "node:fs/promises";
import type { Git } from "./git.ts";
import { makeAccessible } from "./remove-tree.ts";
import { parseStatus, type StatusEntry } from "./status.ts";

/** What a work tree holds beside its index, sorted out: what can be committed, and what cannot. */
export interface Changes {
  /** To be taken into the index as they are. */
  present: StatusEntry[];
  /** To be taken out of it. */
  gone: StatusEntry[];
  refused: { path: string; reason: string }[];
}

const nested = "a git repository of its own; git would keep only a link to it. Remove its .git folder or do not create it";
const statusArgs = ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"];

/**
 * Compares a work tree with its index. `mayRepair`: folders and files that cannot be read are made readable first (a work tree of
 * ours); without it they are refused.
 */
export async function readChanges(
  git: Git,
  tree: string,
  { mayRepair, env }: { mayRepair: boolean; env: Readonly<Record<string, string>> },
): Promise<Changes> {
  let answer = await git(statusArgs, { env });
  // git goes on without what it may not read, as if nothing were there, and only warns.
  if (mayRepair && cannotRead(answer.stderr)) {
    await makeAccessible(tree);
    answer = await git(statusArgs, { env });
  }
  const changes: Changes = { present: [], gone: [], refused: [] };
  if (cannotRead(answer.stderr))
    changes.refused.push({ path: ".", reason: `parts of the work tree cannot be read: ${answer.stderr.trim().split("\n")[0]}` });
  const entries = parseStatus(answer.stdout);
  // In blocks: a thousand open calls at once gain nothing.
  for (let i = 0; i < entries.length; i += 64)
    await Promise.all(entries.slice(i, i + 64).map((entry) => sort(entry, tree, mayRepair, changes)));
  return changes;
}

const cannotRead = (stderr: string): boolean => /Permission denied/.test(stderr);

async function sort(entry: StatusEntry, tree: string, mayRepair: boolean, into: Changes): Promise<void> {
  const refuse = (reason: string): unknown => into.refused.push({ path: entry.path, reason });
  if (entry.isNested) return void refuse(nested);
  if (isForbiddenName(entry.path)) return void refuse("git does not take this name: it could be read as a .git folder on some systems");
  const onDisk = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(entry.bytes, "latin1")]);
  const found = await lstat(onDisk).catch(() => undefined);
  // A folder where a tracked file was: what is in it is listed by itself, unless it is a repository.
  if (found?.isDirectory() && (await lstat(Buffer.concat([onDisk, Buffer.from("/.git")])).catch(() => undefined)))
    return void refuse(nested);
  if (!found || entry.isGone || found.isDirectory()) return void (entry.kind === "untracked" ? undefined : into.gone.push(entry));
  if (!found.isFile() && !found.isSymbolicLink()) return void refuse("neither a file nor a link (a pipe, a socket or a device)");
  if (found.isFile() && (found.mode & 0o400) === 0) {
    if (!mayRepair) return void refuse("it cannot be read");
    await chmod(onDisk, (found.mode & 0o7777) | 0o400).catch(() => {});
  }
  if (found.isFile() && (await isUntouched(entry, onDisk, found.mode))) return;
  into.present.push(entry);
}

/**
 * A file that is byte for byte what the index holds, and that git lists as changed all the same: its line endings are not those
 * that .gitattributes ask for. To "normalise" it would be a change the attempt did not make.
 */
async function isUntouched(entry: StatusEntry, path: Buffer, mode: number): Promise<boolean> {
  if (entry.kind !== "tracked" || !entry.id) return false;
  if (entry.mode !== ((mode & 0o100) === 0 ? "100644" : "100755")) return false;
  const content = await readFile(path).catch(() => undefined);
  if (!content) return false;
  const id = createHash(entry.id.length === 64 ? "sha256" : "sha1")
    .update(`blob ${content.length}\0`)
    .update(content)
    .digest("hex");
  return id === entry.id;
}

/** Names git refuses since they mean `.git` on HFS+ or NTFS. Anything it refuses beyond these fails the snapshot. */
function isForbiddenName(path: string): boolean {
  const ignoredByHfs = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
  return path.split("/").some((part) => /^(\.git|git~\d+)[ .]*(:.*)?$/is.test(part.replace(ignoredByHfs, "")));
}

/** Takes changes into the index that `env` names. */
export async function stage(
  git: Git,
  { gone, present }: Pick<Changes, "present" | "gone">,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  // Removals first, and by force: a folder or a link may stand where a file, or its folder, was.
  if (gone.length > 0) await git(["update-index", "-z", "--force-remove", "--stdin"], { input: named(gone), env });
  if (present.length > 0) await git(["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], { input: named(present), env });
}

const named = (entries: readonly StatusEntry[]): Buffer => Buffer.from(entries.map((entry) => `${entry.bytes}\0`).join(""), "latin1");
