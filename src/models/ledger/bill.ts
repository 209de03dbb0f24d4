import type { Usage } from "../../domain/index.ts";
import type { CallRow, Store } from "../../store/index.ts";
import { sumCalls } from "./usage.ts";

/** What one attempt used of one model. */
export interface BillRow extends Usage {
  attempt: string;
  agent: string;
  provider: string;
  model: string;
  tier: string;
  /** Calls a budget refused; not among `calls`. */
  refused: number;
}

export interface Bill {
  runId: string;
  /** In the order of their first call. */
  rows: readonly BillRow[];
  total: Usage & { refused: number };
}

const refusedIn = (rows: readonly CallRow[]): number => rows.filter((row) => row.outcome === "refused").length;

/** Every token and micro-dollar of a run, by attempt, as far as it is imported. The rows add up to the total. */
export async function billOf(store: Pick<Store, "calls">, runId: string): Promise<Bill> {
  const calls = [...(await store.calls({ runId }))].sort((a, b) => a.at - b.at);
  const groups = Map.groupBy(calls, (row) => JSON.stringify([row.attempt, row.agent, row.provider, row.model, row.tier]));
  const rows: BillRow[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (!first) continue;
    const { attempt, agent, provider, model, tier } = first;
    rows.push({ attempt, agent, provider, model, tier, ...sumCalls(group), refused: refusedIn(group) });
  }
  return { runId, rows, total: { ...sumCalls(calls), refused: refusedIn(calls) } };
}
