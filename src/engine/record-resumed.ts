import { runStream } from "../domain/index.ts";
import { StoreError, type LeaseRef } from "../store/index.ts";
import type { EngineDeps } from "./contract.ts";
import { loadRun } from "./load.ts";

/** Writes down who had a run go on, by whoever drives it now; others may write requests meanwhile. Of a run that is over nothing goes on. */
export async function recordResumed(
  { store, clock }: Pick<EngineDeps, "store" | "clock">,
  lease: LeaseRef,
  runId: string,
  { actor, by }: { actor: string; by: string },
): Promise<void> {
  for (;;) {
    const { status, version } = await loadRun(store, runId);
    if (status !== "running") return;
    const events = [{ event: { type: "RunResumed" as const, data: { by } }, at: clock.now(), actor }];
    try {
      return void (await store.commit({ appends: [{ stream: runStream(runId), expected: version, events }], fence: [lease] }));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // The driver finds out itself that somebody else drives by now.
      if (error.code === "STORE_STALE_LEASE") return;
      if (error.code !== "STORE_CONFLICT" && error.code !== "STORE_BUSY") throw error;
    }
  }
}
