import { isDead } from "../setup/identity.ts";
import type { RunRow, Store } from "../store/index.ts";

const EXPIRED_FOR_MS = 15_000;

/**
 * Finds runs whose driver died without a word: its lease is still there, and its process is not, or the lease has run out and stays so. A driver that
 * ended by itself (Ctrl-C, a spent budget) has given its lease back, and such a run is left as it is. Each run is named once.
 */
export function openTakeUp(store: Store, now: () => number): () => Promise<RunRow[]> {
  const named = new Set<string>();
  const expired = new Map<string, { epoch: number; until: number; seenAt: number }>();
  return async () => {
    const found: RunRow[] = [];
    for (const { key, epoch, until, holder } of await store.leases("run:")) {
      const runId = key.slice("run:".length);
      if (named.has(runId)) continue;
      const before = expired.get(runId);
      const isSame = before?.epoch === epoch && before.until === until;
      if (until <= now() && !isSame) expired.set(runId, { epoch, until, seenAt: now() });
      const isGone = isDead(holder) || (until <= now() && isSame && now() - before.seenAt >= EXPIRED_FOR_MS);
      if (!isGone) continue;
      named.add(runId);
      const [row] = await store.runs({ runId });
      if (row?.status === "running" || row?.status === "waiting") found.push(row);
    }
    return found;
  };
}
