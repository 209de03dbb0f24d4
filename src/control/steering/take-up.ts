import { isDead } from "../../setup/identity.ts";
import type { RunRow, Store } from "../../store/index.ts";

const EXPIRED_FOR_MS = 15_000;
/** A run whose drivers die over and over is left to people. */
const MOST_IN_AN_HOUR = 4;
const HOUR_MS = 3_600_000;

/**
 * Finds runs whose driver died without a word: its lease is still there, and its process is not, or the lease has run out and stays so. A driver that
 * ended by itself (Ctrl-C, a spent budget) has given its lease back, and such a run is left as it is. Each death is named once, to
 * a `take` that does not fail: one that finds the store busy is asked again.
 */
export function openTakeUp(store: Store, now: () => number): <T>(take: (rows: RunRow[]) => Promise<T>) => Promise<T> {
  const named = new Map<string, { epoch: number; at: number[] }>();
  const expired = new Map<string, { epoch: number; until: number; seenAt: number }>();
  return async (take) => {
    const found: RunRow[] = [];
    const told = new Map<string, { epoch: number; at: number[] }>();
    const leases = await store.leases("run:");
    for (const { key, epoch, until, holder } of leases) {
      const runId = key.slice("run:".length);
      const last = named.get(runId);
      if (last?.epoch === epoch) continue;
      const before = expired.get(runId);
      const isSame = before?.epoch === epoch && before.until === until;
      if (until <= now() && !isSame) expired.set(runId, { epoch, until, seenAt: now() });
      const isGone = isDead(holder) || (until <= now() && isSame && now() - before.seenAt >= EXPIRED_FOR_MS);
      if (!isGone) continue;
      const lately = (last?.at ?? []).filter((at) => now() - at < HOUR_MS);
      if (lately.length >= MOST_IN_AN_HOUR) continue;
      const [row] = await store.runs({ runId });
      told.set(runId, { epoch, at: [...lately, now()] });
      if (row?.status === "running" || row?.status === "waiting") found.push(row);
    }
    const taken = await take(found);
    for (const [runId, death] of told) named.set(runId, death);
    return taken;
  };
}
