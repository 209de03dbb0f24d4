import { createHash } from "node:crypto";
import { Refused } from "../chat/tools/refused.ts";
import { Tree } from "../chat/tools/tree.ts";
import { filesOf } from "./bundle.ts";

/** Each file's digest, by path. */
export function photograph(root: string): Map<string, string> {
  const tree = new Tree(root);
  return new Map([...filesOf(tree)].map((path) => [path, digest(tree.read(path, Infinity))]));
}

export type Changes = { ok: true; files: { path: string; bytes: Buffer }[]; gone: string[] } | { ok: false; message: string };

/** Files that are new or differ, and those that are not there any more. */
export function changesSince(root: string, before: ReadonlyMap<string, string>, mostBytes: number): Changes {
  const tree = new Tree(root);
  const files: { path: string; bytes: Buffer }[] = [];
  const gone = new Set(before.keys());
  let left = mostBytes;
  for (const path of filesOf(tree)) {
    gone.delete(path);
    const bytes = readUpTo(tree, path, mostBytes);
    if (bytes && before.get(path) === digest(bytes)) continue;
    left -= bytes?.length ?? Infinity;
    if (!bytes || left < 0)
      return { ok: false, message: `it wrote more than ${mostBytes} bytes of files, which is more output than is handed over` };
    files.push({ path, bytes });
  }
  return { ok: true, files, gone: [...gone] };
}

function readUpTo(tree: Tree, path: string, most: number): Buffer | undefined {
  try {
    return tree.read(path, most);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
