import { isAbsolute, join, resolve } from "node:path";
import type { Loading } from "./loading.ts";
import type { SettingsFile } from "./settings-file.ts";
import { pathFault } from "./yaml/fields.ts";

/**
 * Absolute path of a file that a setting names. The project's lies inside the project: a cloned project must not name files of its reader's
 * home. The user's is relative to Stepfall's folder, may be absolute, and `~/` is their home.
 */
export function fileNamedIn(
  loading: Loading,
  home: string,
  { file, path, value, hint }: { file: SettingsFile; path: string[]; value: string; hint: string },
): string | undefined {
  const { projectDir, cwd, env } = loading.request;
  if (file.kind === "project") {
    const fault = pathFault(value, "path");
    if (fault) loading.refuseIn(file, "BAD_PATH", path, `${path.at(-1)}: ${fault.message}`, hint);
    return fault ? undefined : resolve(projectDir ?? cwd ?? "/", value);
  }
  if (value.startsWith("~/") && env["HOME"]) return join(env["HOME"], value.slice(2));
  return isAbsolute(value) ? value : join(home, value);
}
