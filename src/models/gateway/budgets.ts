import { accountsOf, currentBudgetId, isPeriodic } from "../../domain/index.ts";
import type { BudgetLimit } from "./contract.ts";
import { Holding } from "./holding.ts";

interface Account {
  /** Of runs, steps and attempts: the newest that was agreed on. */
  limit: number;
  spent: number;
  /** By calls under way, and set aside for attempts. */
  reserved: number;
}

export interface Exhausted {
  id: string;
  limit: number;
  spent: number;
  /** Held by calls that are under way, and for other attempts. */
  reserved: number;
  needed: number;
  /** Others give back what they hold: it may fit then. Absent: it never will. */
  mayFit?: true;
}

/** A limit that a call is held by. */
export interface Held {
  id: string;
  limit: number;
}

/** What is reserved: for which attempt, within which limits, charged to which accounts. */
export interface Reserving {
  attempt: string;
  held: readonly Held[];
  ids: readonly string[];
  amount: number;
}

/** What a call reserved, to be given back. */
export type Reserved = Pick<Reserving, "attempt" | "ids" | "amount">;

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
 * the same time cannot share the same money; and before an attempt begins, money is set aside for it, that its calls draw on first and nobody
 * else can have. What is settled may be more than was reserved, when a provider counts more input tokens than we did; it is charged as reported.
 */
export class BudgetBook {
  readonly #accounts = new Map<string, Account>();
  readonly #holdings = new Map<string, Holding>();
  readonly #waiting: (() => void)[] = [];

  /** Takes a limit in: the newest one counts, and the larger of both sums. */
  open(budget: BudgetLimit): void {
    const account = this.#account(budget.id);
    account.limit = budget.limit;
    account.spent = Math.max(account.spent, budget.spent);
  }

  /**
   * Sets `amount` aside for an attempt, or what is left where that is less: all of it or nothing, so that what is answered is why it is to wait, or
   * that a limit has nothing left. With `force` it gets what can be had now. What it had before is part of it.
   */
  hold({ attempt, held, ids, amount }: Reserving, how?: "force"): Exhausted | undefined {
    let wanted = amount;
    let room = Infinity;
    let scarcest: Exhausted | undefined;
    for (const { id, limit: agreed } of held) {
      const { limit, spent, reserved } = this.#limited(id, agreed);
      const exhausted = { id, limit, spent, reserved, needed: amount };
      if (limit - spent < 1 && how !== "force") return exhausted;
      wanted = Math.min(wanted, Math.max(0, limit - spent));
      const free = limit - spent - (reserved - (this.#holdings.get(attempt)?.reservedIn(id) ?? 0));
      if (free < room) {
        room = free;
        scarcest = exhausted;
      }
    }
    if (room < wanted && how !== "force") return scarcest && { ...scarcest, mayFit: true };
    this.#change(attempt, ids, (holding) => holding.hold(ids, Math.max(0, Math.min(wanted, room))));
    return undefined;
  }

  /** The attempt needs no more: what was set aside for it is free. What its calls under way have reserved stays. */
  letGo(attempt: string): void {
    if (!this.#holdings.has(attempt)) return;
    this.#change(attempt, [], (holding) => holding.hold([], 0));
    this.#wake();
  }

  /**
   * Reserves a call in all of `ids`, or answers the first of the limits that cannot carry it: one that could not whatever calls under way
   * come to, where there is such a one. Limits of periods are each attempt's own, since
   * projects may narrow them each for itself.
   */
  reserve(call: Reserving): Exhausted | undefined {
    let refused: Exhausted | undefined;
    const own = this.#holdings.get(call.attempt);
    for (const { id, limit: agreed } of call.held) {
      const { limit, spent, reserved } = this.#limited(id, agreed);
      const others = reserved - (own?.reservedIn(id) ?? 0);
      const calls = own?.callsIn(id) ?? 0;
      if (limit - spent - others - calls >= call.amount) continue;
      const exhausted = { id, limit, spent, reserved: others + calls, needed: call.amount };
      if (limit - spent < call.amount || !this.#mayFree(id, call.attempt)) return exhausted;
      refused ??= { ...exhausted, mayFit: true };
    }
    if (refused) return refused;
    this.#change(call.attempt, call.ids, (holding) => holding.begin(call.ids, call.amount));
    return undefined;
  }

  settle({ attempt, ids, amount }: Reserved, spent: number): void {
    this.#change(attempt, ids, (holding) => holding.end(ids, amount, spent));
    for (const id of ids) this.#account(id).spent += spent;
    this.#wake();
  }

  /** Resolves when a call has been settled or an attempt has let go, or `over` aborts. `attempt`: whose call waits; absent: one that has not begun. */
  async freed(over: AbortSignal, attempt?: string): Promise<void> {
    if (over.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const waits = (by: number): void => {
      if (attempt !== undefined) this.#change(attempt, [], (holding) => holding.waits(by));
    };
    over.addEventListener("abort", wake, { once: true });
    this.#waiting.push(wake);
    waits(1);
    await promise;
    waits(-1);
    over.removeEventListener("abort", wake);
  }

  /** A call settled by an earlier gateway, read from the spool. */
  recall(ids: readonly string[], spent: number): void {
    for (const id of ids) this.#account(id).spent += spent;
  }

  look(id: string): Readonly<Account> {
    return { ...this.#account(id) };
  }

  /**
   * Whether what others have reserved in an account may become free without this attempt: not where each of them waits for the same, with nothing
   * under way. They would wait for each other for ever.
   */
  #mayFree(id: string, attempt: string): boolean {
    for (const [of, holding] of this.#holdings) {
      if (holding.reservedIn(id) === 0) continue;
      if (of === attempt ? holding.callsIn(id) > 0 : !holding.isStuck) return true;
    }
    return false;
  }

  #limited(id: string, agreed: number): Account {
    const { limit, spent, reserved } = this.#account(id);
    return { limit: isPeriodic(id) || limit === Infinity ? agreed : limit, spent, reserved };
  }

  /** Changes what an attempt holds, and its accounts with it. */
  #change(attempt: string, ids: readonly string[], change: (holding: Holding) => void): void {
    let holding = this.#holdings.get(attempt);
    if (!holding) this.#holdings.set(attempt, (holding = new Holding()));
    const touched = new Set([...holding.ids, ...ids]);
    const before = new Map([...touched].map((id) => [id, holding.reservedIn(id)]));
    change(holding);
    for (const [id, was] of before) this.#account(id).reserved += holding.reservedIn(id) - was;
    if (holding.isOver) this.#holdings.delete(attempt);
  }

  #wake(): void {
    for (const told of this.#waiting.splice(0)) told();
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id);
    if (!account) this.#accounts.set(id, (account = { limit: Infinity, spent: 0, reserved: 0 }));
    return account;
  }
}
