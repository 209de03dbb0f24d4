import type { Clock } from "../domain/index.ts";
import type { LeaseRef, Store } from "../store/index.ts";

/**
 * Moves the end of held leases while their work goes on, all in one call, three times within a lease's time. A lease that was
 * taken over (this process slept too long) is reported once, so that its work is stopped: its answer would be refused anyway.
 */
export class LeaseKeeper implements Disposable {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #held = new Map<string, { lease: LeaseRef; lost: () => void }>();
  readonly #timer: NodeJS.Timeout;
  /** By the clock, which may jump. */
  #movedAt: number;

  constructor(store: Store, clock: Clock, leaseMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#movedAt = clock.now();
    this.#timer = setInterval(() => void this.#extend(), leaseMs / 3);
    this.#timer.unref();
  }

  keep(lease: LeaseRef, lost: () => void): void {
    this.#held.set(lease.key, { lease, lost });
  }

  drop(lease: LeaseRef): void {
    if (this.#held.get(lease.key)?.lease.epoch === lease.epoch) this.#held.delete(lease.key);
  }

  /** After a jump of the clock, or a sleep, what is held here has run out by the clock. It is moved at once, before anybody takes it for free. */
  async catchUp(): Promise<void> {
    const away = this.#clock.now() - this.#movedAt;
    if (away >= this.#leaseMs || away < 0) await this.#extend();
  }

  async #extend(): Promise<void> {
    this.#movedAt = this.#clock.now();
    if (this.#held.size === 0) return;
    try {
      const { lost } = await this.#store.extend(
        [...this.#held.values()].map((h) => h.lease),
        this.#clock.now() + this.#leaseMs,
      );
      for (const lease of lost) {
        const held = this.#held.get(lease.key);
        if (held?.lease.epoch !== lease.epoch) continue;
        this.#held.delete(lease.key);
        held.lost();
      }
    } catch {
      // The store could not answer now; the next tick tries again, and a lease that runs out meanwhile is fenced by its epoch.
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
