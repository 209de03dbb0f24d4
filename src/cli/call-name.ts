import { realpathSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { shellWord } from "./show/format.ts";

/**
 * How a person can call this program again: `stepfall` when that is what their PATH finds, `npx stepfall` when they came that way, else
 * the launcher by its path. Printed commands can then be copied as they are.
 */
export function callName(launcher: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  if (launcher === undefined) return "stepfall";
  const own = real(launcher);
  const onPath = (env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.endsWith(join("node_modules", ".bin")));
  if (own !== undefined && onPath.some((folder) => folder !== "" && real(join(folder, "stepfall")) === own)) return "stepfall";
  if (env["npm_command"] === "exec" && launcher.includes(`${sep}node_modules${sep}`)) return "npx stepfall";
  return `node ${shellWord(launcher)}`;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
