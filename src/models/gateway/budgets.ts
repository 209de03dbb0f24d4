import { accountsOf, currentBudgetId, isPeriodic } from "../../domain/index.ts";
import type { BudgetLimit } from "./contract.ts";

interface Account {
  /** Of runs, steps and attempts: the newest that was agreed on. */
  limit: number;
  spent: number;
  reserved: number;
}

export interface Exhausted {
  id: string;
  limit: number;
  spent: number;
  /** Held by calls that are under way. */
  reserved: number;
  needed: number;
}

/** A limit that a call is held by. */
export interface Held {
  id: string;
  limit: number;
}

/** Limits as they count at `now`: those of a period are of the period that is then. */
export const heldAt = (budgets: readonly BudgetLimit[], now: number): Held[] =>
  budgets.map(({ id, limit }) => ({ id: currentBudgetId(id, now), limit }));

/** What a call is charged to: the budgets that hold it, and all accounts that it belongs to, so that a limit that is set later knows of it. */
export const chargedTo = (call: {
  budgets: readonly string[];
  runId: string;
  attempt: string;
  project?: string | undefined;
  at: number;
}): string[] => [...new Set([...call.budgets, ...accountsOf(call)])];

/**
 * What every budget has spent and holds reserved. A call reserves against all its budgets or none, in one synchronous step, so that calls at
 * the same time cannot share the same money. What is settled may be more than was reserved, when a provider counts more input tokens than
 * we did; it is charged as reported.
 */
export class BudgetBook {
  readonly #accounts = new Map<string, Account>();
  readonly #waiting: (() => void)[] = [];

  /** Takes a limit in: the newest one counts, and the larger of both sums. */
  open(budget: BudgetLimit): void {
    const account = this.#account(budget.id);
    account.limit = budget.limit;
    account.spent = Math.max(account.spent, budget.spent);
  }

  /**
   * Reserves `amount` in all of `ids`, or answers the first of the limits that cannot carry it: one that could not whatever calls under way
   * come to, where there is such a one. Limits of periods are each attempt's own, since
   * projects may narrow them each for itself.
   */
  reserve(held: readonly Held[], ids: readonly string[], amount: number): Exhausted | undefined {
    let refused: Exhausted | undefined;
    for (const { id, limit: agreed } of held) {
      const { limit: newest, spent, reserved } = this.#account(id);
      const limit = isPeriodic(id) || newest === Infinity ? agreed : newest;
      if (limit - spent - reserved >= amount) continue;
      const exhausted = { id, limit, spent, reserved, needed: amount };
      if (limit - spent < amount) return exhausted;
      refused ??= exhausted;
    }
    if (refused) return refused;
    for (const id of ids) this.#account(id).reserved += amount;
    return undefined;
  }

  settle(ids: readonly string[], reserved: number, spent: number): void {
    for (const id of ids) {
      const account = this.#account(id);
      account.reserved -= reserved;
      account.spent += spent;
    }
    for (const told of this.#waiting.splice(0)) told();
  }

  /** Resolves when a call has been settled, or `over` aborts. */
  async freed(over: AbortSignal): Promise<void> {
    if (over.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    over.addEventListener("abort", wake, { once: true });
    this.#waiting.push(wake);
    await promise;
    over.removeEventListener("abort", wake);
  }

  /** A call settled by an earlier gateway, read from the spool. */
  recall(ids: readonly string[], spent: number): void {
    this.settle(ids, 0, spent);
  }

  look(id: string): Readonly<Account> {
    return { ...this.#account(id) };
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id);
    if (!account) this.#accounts.set(id, (account = { limit: Infinity, spent: 0, reserved: 0 }));
    return account;
  }
}
