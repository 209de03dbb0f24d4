import { userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Stepfall's folder: `STEPFALL_HOME`, or `stepfall` in the platform's data folder (XDG_DATA_HOME, ~/.local/share,
 * ~/Library/Application Support). Worked out from `env` alone: the package env-paths reads the environment of the
 * process when it is imported, before anybody can pass one in.
 */
export function stepfallHome(env: Environment, cwd = "/", platform: NodeJS.Platform = process.platform): string {
  const user = env["HOME"] || userInfo().homedir;
  const named = env["STEPFALL_HOME"];
  if (named) return resolve(cwd, named === "~" || named.startsWith("~/") ? join(user, named.slice(1)) : named);
  if (platform === "darwin") return join(user, "Library", "Application Support", "stepfall");
  // The XDG specification: a relative path there must be ignored.
  const data = env["XDG_DATA_HOME"];
  return join(data && isAbsolute(data) ? data : join(user, ".local", "share"), "stepfall");
}
