import type { Provenance } from "../../../../src/domain/index.ts";

/** What the ledger has, also of attempts that run. */
export interface Spent {
  microUsd: number;
  calls: number;
}

interface LedgerBill {
  rows: readonly { attempt: string; microUsd: number; calls: number }[];
  total: { microUsd: number; provenance: Provenance };
}

/** By attempt. An attempt may have used several models. */
export function spentByAttempt(bill: LedgerBill | undefined): ReadonlyMap<string, Spent> {
  const spent = new Map<string, Spent>();
  for (const { attempt, microUsd, calls } of bill?.rows ?? []) {
    const before = spent.get(attempt);
    spent.set(attempt, { microUsd: (before?.microUsd ?? 0) + microUsd, calls: (before?.calls ?? 0) + calls });
  }
  return spent;
}

export interface ShownCost {
  microUsd: number;
  provenance: Provenance;
  /** `ledger`: all calls by now. `attempts`: by what attempts said that were over. */
  from: "ledger" | "attempts";
}

/**
 * What a run has cost, at the event that is shown. Now, the ledger knows more than events do: calls of attempts that run, and of judges. It is read
 * every few seconds, so that the word of attempts that are over can be ahead of it: it is never less than that.
 */
export function costNow(
  over: { microUsd: number; provenance: Provenance } | undefined,
  bill: LedgerBill | undefined,
  isNow: boolean,
): ShownCost | undefined {
  if (!isNow || !bill) return over && { ...over, from: "attempts" };
  if (!over && bill.rows.length === 0) return undefined;
  const { microUsd, provenance } = over && over.microUsd > bill.total.microUsd ? over : bill.total;
  return { microUsd, provenance, from: "ledger" };
}
