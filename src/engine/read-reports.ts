import { lstat, open, readdir, realpath, rm } from "node:fs/promises";
import { constants } from "node:fs";
import { join, relative, sep } from "node:path";
import picomatch from "picomatch";

/** Reports of test runners beyond this are not read: somebody writes without end, and reading TAP takes two seconds a megabyte. */
const LARGEST_BYTES = 8 * 1024 * 1024;
const MOST_FILES = 20_000;

/** Names below a folder that match the globs. Links are not followed; `node_modules` and `.git` hold nobody's report. */
async function namesIn(folder: string, globs: readonly string[]): Promise<string[]> {
  const patterns = globs.map((glob) => glob.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "/**"));
  const isMatch = picomatch(patterns, { dot: true, nonegate: true });
  const found: string[] = [];
  const real = await realpath(folder);
  for (const base of new Set(patterns.map((pattern) => picomatch.scan(pattern).base))) {
    const at = join(folder, base);
    // A folder on the way may be a link to somewhere else: the commit itself can hold one.
    if (!isInside(await realpath(at).catch(() => ""), real)) continue;
    const isFile = (await lstat(at)).isFile();
    const below = isFile ? [base] : await filesBelow(folder, base === "." ? "" : base);
    found.push(...below.filter((name) => isMatch(name)));
  }
  return [...new Set(found)].sort().slice(0, MOST_FILES);
}

async function filesBelow(folder: string, base: string): Promise<string[]> {
  const top = join(folder, base);
  const found: string[] = [];
  const open = [top];
  for (let at = open.pop(); at !== undefined && found.length < MOST_FILES; at = open.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      if (entry.isFile()) found.push(relative(folder, join(at, entry.name)).split(sep).join("/"));
      else if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git") open.push(join(at, entry.name));
    }
  }
  return found;
}

const isInside = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

export async function removeFiles(folder: string, globs: readonly string[]): Promise<void> {
  for (const name of await namesIn(folder, globs)) await rm(join(folder, name), { force: true });
}

/** Texts of files below `folder`, with its own path taken out of them. */
export async function readTexts(folder: string, globs: readonly string[], without: string): Promise<string[]> {
  const real = await realpath(folder).catch(() => folder);
  const paths = [...new Set([without, await realpath(without).catch(() => without)])];
  const texts: string[] = [];
  let left = LARGEST_BYTES;
  for (const name of await namesIn(folder, globs)) {
    const path = join(folder, name);
    // The commands that ran here could have left a link in its place, or in the place of a folder above.
    if (!isInside(await realpath(path).catch(() => ""), real)) continue;
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
    if (!file) continue;
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > left) continue;
      left -= stats.size;
      const text = await file.readFile("utf8");
      texts.push(paths.reduce((cut, own) => cut.replaceAll(`${own}/`, "").replaceAll(own, "."), text));
    } finally {
      await file.close();
    }
  }
  return texts;
}
