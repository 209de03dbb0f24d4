import { setTimeout as sleep } from "node:timers/promises";
import type { LivenessItem } from "../../fleet/index.ts";
import type { Store } from "../../store/index.ts";
import { liveByRun } from "./live-attempts.ts";

const LOOK_MS = 1000;

/** How running attempts are, whenever what their engines wrote has changed. An attempt that is over is told by the journal. */
export async function* liveChanges(
  { store, home, now }: { store: Pick<Store, "leases">; home: string; now: () => number },
  signal: AbortSignal,
): AsyncGenerator<LivenessItem, void> {
  const shown = new Map<string, string>();
  while (!signal.aborted) {
    const items = [...(await liveByRun(store, home, now())).values()].flat();
    for (const item of items) {
      const { at: _, ...rest } = item;
      const text = JSON.stringify(rest);
      if (shown.get(item.attempt) === text) continue;
      shown.set(item.attempt, text);
      yield item;
    }
    const running = new Set(items.map((item) => item.attempt));
    for (const attempt of shown.keys()) if (!running.has(attempt)) shown.delete(attempt);
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
