import { readLive, type LivenessItem } from "../../fleet/index.ts";
import type { Store } from "../../store/index.ts";

/** How the attempts that run now are, by run, as their engines last wrote it. */
export async function liveByRun(store: Pick<Store, "leases">, home: string, now: number): Promise<Map<string, LivenessItem[]>> {
  const found = new Map<string, LivenessItem[]>();
  for (const { key, runId, until } of await store.leases("")) {
    const item = runId === undefined || until <= now ? undefined : readLive(home, key, now);
    if (runId !== undefined && item) found.set(runId, [...(found.get(runId) ?? []), item]);
  }
  return found;
}
