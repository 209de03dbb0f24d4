/**
 * What one attempt has reserved: what was set aside for it before it began and is not spent yet, and its calls under way. The calls draw on what
 * is set aside: in each account the larger of both is reserved.
 */
export class Holding {
  /** Accounts that its share is set aside in. */
  #held: ReadonlySet<string> = new Set();
  #left = 0;
  readonly #calls = new Map<string, number>();
  #waiting = 0;
  #underWay = 0;

  get ids(): Iterable<string> {
    return this.#held;
  }

  /** It waits for others, and has nothing under way that will end. */
  get isStuck(): boolean {
    return this.#waiting > 0 && this.#underWay === 0;
  }

  /** There is nothing to know of it any more. */
  get isOver(): boolean {
    return this.#left === 0 && this.#underWay === 0 && this.#waiting === 0;
  }

  callsIn(id: string): number {
    return this.#calls.get(id) ?? 0;
  }

  reservedIn(id: string): number {
    return Math.max(this.#held.has(id) ? this.#left : 0, this.callsIn(id));
  }

  hold(ids: readonly string[], amount: number): void {
    this.#held = new Set(ids);
    this.#left = amount;
  }

  begin(ids: readonly string[], amount: number): void {
    this.#underWay += 1;
    for (const id of ids) this.#calls.set(id, this.callsIn(id) + amount);
  }

  end(ids: readonly string[], amount: number, spent: number): void {
    this.#underWay -= 1;
    for (const id of ids) {
      const calls = this.callsIn(id) - amount;
      if (calls === 0) this.#calls.delete(id);
      else this.#calls.set(id, calls);
    }
    this.#left = Math.max(0, this.#left - spent);
  }

  waits(by: number): void {
    this.#waiting += by;
  }
}
