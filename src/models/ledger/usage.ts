import { parseAttemptId, type Usage } from "../../domain/index.ts";
import type { CallRow, Store } from "../../store/index.ts";
import { weaker } from "../gateway/index.ts";

/** Whose calls: all of a run, of one of its steps (over all its attempts), or of one attempt. */
export type UsageOf = { runId: string; step?: string } | { attempt: string };

const none: Usage = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, microUsd: 0, provenance: "reported" };

/** Sums calls. Those a budget refused never went out and count nothing. The provenance is the weakest among them. */
export function sumCalls(rows: Iterable<CallRow>): Usage {
  let sum = none;
  for (const row of rows) if (row.outcome !== "refused") sum = addUsage(sum, { ...row, calls: 1 });
  return sum;
}

export const addUsage = (a: Usage, b: Usage): Usage => ({
  calls: a.calls + b.calls,
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  microUsd: a.microUsd + b.microUsd,
  provenance: weaker(a.provenance, b.provenance),
});

/** What was used, as far as it is imported. */
export async function usageOf(store: Pick<Store, "calls">, of: UsageOf): Promise<Usage> {
  if ("attempt" in of) return sumCalls(await store.calls({ attempt: of.attempt }));
  const rows = await store.calls({ runId: of.runId });
  return sumCalls(of.step === undefined ? rows : rows.filter((row) => parseAttemptId(row.attempt)?.stepPath === of.step));
}
