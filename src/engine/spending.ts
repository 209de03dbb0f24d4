import { parseAttemptId, type MicroUsd } from "../domain/index.ts";
import type { Store } from "../store/index.ts";

/** What a run has spent by the ledger: whole, by a step with the steps below it, and by an attempt. */
export async function spentOn(
  store: Store,
  runId: string,
): Promise<{ total: MicroUsd; below(path: string): MicroUsd; by(attempt: string): MicroUsd }> {
  const calls = await store.calls({ runId });
  const bySteps = new Map<string, MicroUsd>();
  let total = 0;
  for (const call of calls) {
    total += call.microUsd;
    const path = parseAttemptId(call.attempt)?.stepPath ?? "";
    bySteps.set(path, (bySteps.get(path) ?? 0) + call.microUsd);
  }
  const below = (path: string): MicroUsd => {
    let sum = 0;
    for (const [step, spent] of bySteps) if (step === path || step.startsWith(`${path}/`)) sum += spent;
    return sum;
  };
  const by = (attempt: string): MicroUsd => calls.reduce((sum, call) => sum + (call.attempt === attempt ? call.microUsd : 0), 0);
  return { total, below, by };
}
