import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Projects in which `stepfall up` was called: known to the dashboard also before their first run. A line each, the last ones count. */
const fileIn = (home: string): string => join(home, "server", "projects");
const MOST = 100;

/** Top folders that are still there, each once. */
export function openedProjects(home: string): string[] {
  let text = "";
  try {
    text = readFileSync(fileIn(home), "utf8");
  } catch {
    // Nobody has called it in a project yet.
  }
  return [...new Set(text.split("\n").filter((line) => line !== ""))].slice(-MOST).filter((path) => existsSync(path));
}

/** `top`: the project's top folder. A path with a line break in it is not kept. */
export function rememberOpened(home: string, top: string): void {
  if (top.includes("\n") || openedProjects(home).includes(top)) return;
  mkdirSync(dirname(fileIn(home)), { recursive: true, mode: 0o700 });
  appendFileSync(fileIn(home), `${top}\n`, { mode: 0o600 });
}
