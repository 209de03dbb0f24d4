import { describeHolder, isDead, thisHolder } from "../../setup/identity.ts";
import type { Store } from "../../store/index.ts";
import { BenchError } from "./errors.ts";

const LEASE_MS = 60_000;

/** Named like a run's folder: `gc` finds by it that somebody uses what lies there. */
export const workloadRun = (name: string): string => `workload-${name}`;

/** One process at a time does a workload: two would do everything twice. Throws WORKLOAD_BUSY. */
export async function holdWorkload(store: Store, name: string, now: () => number): Promise<AsyncDisposable> {
  const key = `run:${workloadRun(name)}`;
  const held = (await store.leases(key)).find((l) => l.key === key);
  const busy = (holder: string): BenchError =>
    new BenchError(
      "WORKLOAD_BUSY",
      `${describeHolder(holder)} does the workload ${name} now`,
      "Wait until it is over, or end it with Ctrl-C.",
    );
  // A process that lives keeps it, however old its lease is.
  if (held && !isDead(held.holder)) throw busy(held.holder);
  const at = now();
  const taken = await store.acquire({
    key,
    holder: thisHolder(),
    until: at + LEASE_MS,
    now: at,
    ...(held ? { breakEpoch: held.epoch } : {}),
  });
  if (!taken.ok) throw busy(taken.heldBy.holder);
  return { [Symbol.asyncDispose]: () => store.release(taken.lease) };
}
