import type { CredentialMode, Usage } from "../../domain/index.ts";
import type { CallRow, Store } from "../../store/index.ts";
import { addUsage, sumCalls } from "./usage.ts";

/** What one attempt used of one model. */
export interface BillRow extends Usage {
  attempt: string;
  agent: string;
  provider: string;
  model: string;
  tier: string;
  /** Calls a budget refused; not among `calls`. */
  refused: number;
  /** Whose login paid. `direct`: no gateway saw the calls, and the tokens are the agent's own word. */
  credentials: CredentialMode;
}

/** What an attempt says it used without a gateway. */
export interface OwnWord {
  attempt: string;
  agent: string;
  tier: string;
  usage: Usage;
}

export interface Bill {
  runId: string;
  /** In the order of their first call. */
  rows: readonly BillRow[];
  total: Usage & { refused: number };
}

const refusedIn = (rows: readonly CallRow[]): number => rows.filter((row) => row.outcome === "refused").length;

/**
 * Every token and micro-dollar of a run, by attempt, as far as it is imported. The rows add up to the total. `said`: attempts that ran on the
 * user's login without a gateway.
 */
export async function billOf(store: Pick<Store, "calls">, runId: string, said: readonly OwnWord[] = []): Promise<Bill> {
  const calls = [...(await store.calls({ runId }))].sort((a, b) => a.at - b.at);
  const groups = Map.groupBy(calls, (row) => JSON.stringify([row.attempt, row.agent, row.provider, row.model, row.tier, row.credentials]));
  const rows: BillRow[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (!first) continue;
    const { attempt, agent, provider, model, tier } = first;
    const credentials = first.credentials ?? "metered";
    rows.push({ attempt, agent, provider, model, tier, ...sumCalls(group), refused: refusedIn(group), credentials });
  }
  let total = sumCalls(calls);
  for (const { attempt, agent, tier, usage } of said) {
    rows.push({ attempt, agent, provider: "its own login", model: "", tier, ...usage, refused: 0, credentials: "direct" });
    total = addUsage(total, usage);
  }
  return { runId, rows, total: { ...total, refused: refusedIn(calls) } };
}
