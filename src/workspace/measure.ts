import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";

export interface FolderSize {
  /** What it takes on the disk (blocks, not lengths); a file with several names counts once. */
  bytes: number;
  entries: number;
  /** Epoch ms of the newest change among its folders and files; 0 when it is not there. */
  newestAt: number;
  /** Not all was looked at: `most` was passed, or `signal` aborted. */
  isPartial: boolean;
}

export interface MeasureOptions {
  signal?: AbortSignal | undefined;
  /** Stop counting beyond so many bytes: the answer is then more than that, and partial. */
  most?: number;
}

/** Folders that are read at the same time: enough to keep a disk busy, few enough to leave git and agents theirs. */
const AT_ONCE = 4;

/**
 * How much a file or a folder takes. Does not follow links, stays on its file system, and goes past whatever vanishes or cannot be read while it looks: an agent is at
 * work there.
 */
export async function measureFolder(path: string, { signal, most = Number.POSITIVE_INFINITY }: MeasureOptions = {}): Promise<FolderSize> {
  const size: FolderSize = { bytes: 0, entries: 0, newestAt: 0, isPartial: false };
  const top = await lstat(path).catch(() => undefined);
  if (!top) return size;
  const seen = new Set<string>();
  const folders: string[] = [];
  const count = (entry: typeof top, at: string): void => {
    size.entries += 1;
    size.newestAt = Math.max(size.newestAt, entry.mtimeMs);
    if (entry.isDirectory()) folders.push(at);
    else if (entry.nlink > 1) {
      const id = `${entry.dev}:${entry.ino}`;
      if (seen.has(id)) return;
      seen.add(id);
    }
    size.bytes += entry.blocks * 512;
  };
  count(top, path);
  const work = async (): Promise<void> => {
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const name of await readdir(folder).catch(() => [])) {
        if (signal?.aborted || size.bytes > most) {
          size.isPartial = true;
          return;
        }
        const at = join(folder, name);
        const entry = await lstat(at).catch(() => undefined);
        if (entry && entry.dev === top.dev) count(entry, at);
      }
    }
  };
  // One that finds no folder ends, though others may still find some: rounds until nobody does.
  while (folders.length > 0 && !size.isPartial) await Promise.all(Array.from({ length: AT_ONCE }, work));
  return size;
}

/** Bytes that a user without special rights may still write on the disk of `path`; the nearest folder that exists counts. */
export async function freeDisk(path: string): Promise<number> {
  const found = await statfs(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && path !== join(path, "..")) return undefined;
    throw error;
  });
  return found ? found.bavail * found.bsize : freeDisk(join(path, ".."));
}
