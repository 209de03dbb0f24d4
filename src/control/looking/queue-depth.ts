import type { Store } from "../../store/index.ts";
import { isDead } from "../../setup/identity.ts";

/** Attempts that are routed: how many wait for a slot, and how many run. Steps that wait for other steps are none of them. */
export interface QueueDepth {
  queued: number;
  running: number;
  /** How long the oldest has been waiting. */
  oldestWaitMs?: number;
}

/**
 * Asks for the depth of one run's queue, or of all runs of this home. What a process of this machine left behind when it died is queued,
 * though its leases have not run out yet.
 */
export async function queueDepths(
  store: Pick<Store, "leases" | "queueStats">,
  now: number,
): Promise<(runId?: string) => Promise<QueueDepth>> {
  const holders = new Set((await store.leases("")).map((lease) => lease.holder));
  const gone = [...holders].filter(isDead);
  return async (runId) => {
    const { queued, leased, oldestQueuedAt } = await store.queueStats(runId, { gone });
    return { queued, running: leased, ...(oldestQueuedAt === undefined ? {} : { oldestWaitMs: Math.max(0, now - oldestQueuedAt) }) };
  };
}

export const isQuiet = ({ queued, running }: QueueDepth): boolean => queued + running === 0;
