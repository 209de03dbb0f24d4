import { parseAttemptId, type MicroUsd } from "../domain/index.ts";
import type { Store } from "../store/index.ts";

/** What a run has spent by the ledger, whole and by step. */
export async function spentOn(store: Store, runId: string): Promise<{ total: MicroUsd; step(path: string): MicroUsd }> {
  const calls = await store.calls({ runId });
  const bySteps = new Map<string, MicroUsd>();
  let total = 0;
  for (const call of calls) {
    total += call.microUsd;
    const path = parseAttemptId(call.attempt)?.stepPath ?? "";
    bySteps.set(path, (bySteps.get(path) ?? 0) + call.microUsd);
  }
  return { total, step: (path) => bySteps.get(path) ?? 0 };
}
