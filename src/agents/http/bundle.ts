import picomatch from "picomatch";
import { Tree } from "../chat/tools/tree.ts";
import type { Bundle } from "./contract.ts";

export interface BundleLimits {
  /** Most paths in the list. */
  listed: number;
  /** Most bytes of one file. */
  fileBytes: number;
  /** Most bytes of all files together. */
  bytes: number;
}

/** A message of A2A stays well below the 4 MiB that its SDK takes as one event, however much JSON escapes. */
export const defaultBundleLimits: BundleLimits = { listed: 5000, fileBytes: 256 * 1024, bytes: 1024 * 1024 };

const leftOut = new Set([".git", "node_modules"]);

/** Regular files of a tree, sorted; symlinks are not followed. Stops after `most`. */
export function* filesOf(tree: Tree, most = Infinity): Generator<string> {
  let left = most;
  function* below(folder: string): Generator<string> {
    for (const entry of tree.entries(folder === "" ? "." : folder)) {
      if (left <= 0) return;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !leftOut.has(entry.name)) yield* below(path);
      else if (entry.isFile()) {
        left -= 1;
        yield path;
      }
    }
  }
  yield* below("");
}

/** What is sent along: the names of all files, and the text of those that match `touches`, up to a limit. */
export function bundleOf(root: string, touches: readonly string[], limits: BundleLimits = defaultBundleLimits): Bundle {
  const tree = new Tree(root);
  const list = [...filesOf(tree, limits.listed + 1)];
  const truncated = list.length > limits.listed;
  const bundle: Bundle = { list: list.slice(0, limits.listed), truncated, contents: [], omitted: [] };
  const isTouched = touches.length === 0 ? () => false : picomatch([...touches], { dot: true });
  let left = limits.bytes;
  for (const path of bundle.list.filter((name) => isTouched(name))) {
    const content = textOf(tree, path, limits.fileBytes);
    if (typeof content === "object") bundle.omitted.push({ path, ...content });
    else if (Buffer.byteLength(content) > left) bundle.omitted.push({ path, because: "limit reached" });
    else {
      left -= Buffer.byteLength(content);
      bundle.contents.push({ path, content });
    }
  }
  return bundle;
}

function textOf(tree: Tree, path: string, most: number): string | { because: "binary" | "too large" } {
  let bytes;
  try {
    bytes = tree.read(path, most);
  } catch {
    return { because: "too large" };
  }
  if (bytes.includes(0)) return { because: "binary" };
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { because: "binary" };
  }
}
