import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { WorkspaceError } from "./errors.ts";

/**
 * Removes a folder of ours with everything an attempt may have left there: read-only folders, files that are being closed. Only
 * below `within`; never follows a link out of it.
 */
export async function removeTree(folder: string, within: string): Promise<void> {
  const path = resolve(folder);
  if (!path.startsWith(within + sep))
    throw new WorkspaceError(
      "WORKSPACE_IO",
      `${path} is not below ${within}, so it is not removed.`,
      "This is a fault in Stepfall: please report it.",
    );
  const attempt = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    await attempt().catch(async () => {
      await makeAccessible(path);
      await attempt();
    });
  } catch (cause) {
    throw new WorkspaceError(
      "WORKSPACE_IO",
      `${path} cannot be removed: ${(cause as Error).message}`,
      "See who still uses it, then remove it by hand.",
      { cause },
    );
  }
}

/** Gives us back the right to enter folders and read files below `path`. What is not ours stays as it is. Links are not followed. */
export async function makeAccessible(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined);
  if (!entry) return;
  const wanted = entry.isDirectory() ? 0o700 : entry.isFile() ? 0o400 : 0;
  if (wanted !== 0 && (entry.mode & wanted) !== wanted) await chmod(path, (entry.mode & 0o7777) | wanted).catch(() => {});
  if (!entry.isDirectory()) return;
  for (const name of await readdir(path).catch(() => [])) await makeAccessible(join(path, name));
}
