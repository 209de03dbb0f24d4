import { setTimeout as sleep } from "node:timers/promises";
import { measureFolder } from "./measure.ts";

export interface WatchSizeOptions {
  /** The folder: all of a workspace, its HOME and temporary files too. */
  root: string;
  /** Bytes on disk. */
  limit: number;
  /** Called once, when it takes more. */
  onExceeded: (bytes: number) => void;
  /** Shortest time between two looks. Default 5 s. */
  everyMs?: number;
}

/** A look takes at most this part of the time. */
const SHARE = 20;

/**
 * Looks at intervals how much a folder takes: often enough to end a runaway before it fills the disk, and never for more than a twentieth of the time, however large it is. A
 * look that finds too much ends at that moment.
 */
export function watchSize({ root, limit, onExceeded, everyMs = 5000 }: WatchSizeOptions): Disposable {
  const over = new AbortController();
  void (async () => {
    for (let pause = everyMs; ;) {
      await sleep(pause, undefined, { signal: over.signal, ref: false });
      const began = performance.now();
      const { bytes } = await measureFolder(root, { signal: over.signal, most: limit });
      if (over.signal.aborted) return;
      if (bytes > limit) return onExceeded(bytes);
      pause = Math.max(everyMs, SHARE * (performance.now() - began));
    }
  })().catch(() => undefined); // stopped in its sleep
  return { [Symbol.dispose]: () => over.abort() };
}
