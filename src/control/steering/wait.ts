import { setTimeout as sleep } from "node:timers/promises";
import { driverOf } from "../../setup/find-run.ts";
import type { RunRow, Store } from "../../store/index.ts";
import type { InboxEntry, Waited } from "../contract.ts";

const LOOK_MS = 200;
/** A process that was just started for the run takes a moment to drive it. */
const DRIVER_MS = 10_000;

/** See Control.wait. `items`: what waits for people in this run. */
export async function waitForRun(
  { store, now, isBeginning }: { store: Store; now: () => number; /** A process for it is being started. */ isBeginning: () => boolean },
  runId: string,
  items: () => Promise<InboxEntry[]>,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<Waited> {
  const until = now() + timeoutMs;
  let undrivenSince: number | undefined;
  for (;;) {
    const [row] = await store.runs({ runId });
    const outcome = row && outcomeOf(row);
    if (outcome) return { kind: "over", outcome };
    if (row?.status === "waiting" || row?.status === "budget") return { kind: "waiting", items: await items() };
    const driver = await driverOf(store, runId, now());
    undrivenSince = driver || isBeginning() ? undefined : (undrivenSince ?? now());
    if (undrivenSince !== undefined && now() - undrivenSince >= DRIVER_MS) return { kind: "stopped" };
    if (now() >= until || signal?.aborted) return { kind: "timeout" };
    await sleep(Math.min(LOOK_MS, Math.max(1, until - now())), undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

function outcomeOf({ status }: RunRow): "succeeded" | "failed" | "cancelled" | undefined {
  return status === "succeeded" || status === "failed" || status === "cancelled" ? status : undefined;
}
