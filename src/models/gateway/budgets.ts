import type { BudgetLimit } from "./contract.ts";

interface Account {
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

/**
 * What every budget has spent and holds reserved. A call reserves against all its budgets or none, in one synchronous step, so that calls at
 * the same time cannot share the same money. What is settled may be more than was reserved, when a provider counts more input tokens than
 * we did; it is charged as reported.
 */
export class BudgetBook {
  readonly #accounts = new Map<string, Account>();

  /** Takes a limit in: the newest one counts, and the larger of both sums. */
  open(budget: BudgetLimit): void {
    const account = this.#account(budget.id);
    account.limit = budget.limit;
    account.spent = Math.max(account.spent, budget.spent);
  }

  /** Reserves `amount` in all of them, or answers the first that cannot carry it. */
  reserve(ids: readonly string[], amount: number): Exhausted | undefined {
    for (const id of ids) {
      const { limit, spent, reserved } = this.#account(id);
      if (limit - spent - reserved < amount) return { id, limit, spent, reserved, needed: amount };
    }
    for (const id of ids) this.#account(id).reserved += amount;
    return undefined;
  }

  settle(ids: readonly string[], reserved: number, spent: number): void {
    for (const id of ids) {
      const account = this.#account(id);
      account.reserved -= reserved;
      account.spent += spent;
    }
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
