import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * The object folders that a repository reads from: its own, and those its `info/alternates` names, and so on. Without them in the
 * confinement, git in a workspace finds no commit. An alternates file that cannot be read is git's to complain of.
 */
export function objectFolders(objectsDir: string): string[] {
  const found = new Set<string>();
  const add = (folder: string): void => {
    if (found.has(folder)) return;
    found.add(folder);
    for (const line of linesOf(join(folder, "info/alternates"))) add(resolve(folder, line));
  };
  add(resolve(objectsDir));
  return [...found];
}

function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => (line.startsWith('"') ? unquoted(line) : line));
  } catch {
    return [];
  }
}

/** git C-quotes a name with a newline or a quote in it. */
const unquoted = (line: string): string => line.slice(1, -1).replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
