import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../domain/index.ts";
import { LeaseKeeper } from "../fleet/index.ts";
import { StoreError, type LeaseRef, type Store } from "../store/index.ts";
import { callHook } from "./call.ts";
import type { CallingWith, Letter } from "./contract.ts";
import { Letters } from "./letters.ts";
import type { LetterWriter } from "./write-letters.ts";

const LEASE = "hooks";
const LEASE_MS = 30_000;
const LOOK_MS = 1000;
const PAGE = 500;
/** The event up to which the journal was turned into letters. */
export const OFFSET = "hooks:letters";

export interface DelivererOptions {
  store: Store;
  clock: Clock;
  home: string;
  /** Who this process is, in leases. */
  holder: string;
  isDead: (holder: string) => boolean;
  writer: LetterWriter;
  world: CallingWith;
  notice: (text: string) => void;
}

/**
 * Delivers the events of a home to its hooks. Of all processes that could, the one that holds the lease does: it reads on in the journal from where
 * the last one stopped, writes a letter for each event and hook, and carries the letters out. Letters of one hook go one after the other, in the order
 * of the journal; while one is tried again the others wait, and once a hook is given up on, each further letter has one try until one arrives.
 */
export class Deliverer implements AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #letters: Letters;
  readonly #keeper: LeaseKeeper;
  readonly #abort = new AbortController();
  readonly #busy = new Map<string, Promise<void>>();
  /** Hooks that were given up on. */
  readonly #down = new Set<string>();
  /** Letters that this process cannot deliver, and why. */
  readonly #unable = new Map<string, string>();
  #lease: LeaseRef | undefined;
  /** Ends what is under way when the lease is somebody else's. */
  #held = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isStale = false;
  /** Another process delivers. */
  #isElsewhere = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#letters = new Letters(options.home);
    this.#keeper = new LeaseKeeper(options.store, options.clock, LEASE_MS);
  }

  /** What happened before hooks were used in a home for the first time is not told. */
  async open(): Promise<void> {
    const { home, store } = this.#options;
    if (!Letters.inUse(home)) {
      const { globalSeq } = await store.commit({});
      if ((await store.offset(OFFSET)) === 0) await store.commit({ projections: [{ kind: "offset", key: OFFSET, value: globalSeq }] });
    }
    this.#letters.open();
  }

  /** Begins, or looks at once for what is new. */
  kick(): void {
    this.#isStale = true;
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Until all that the journal holds now is delivered, given up on, or another process's to do, for so long at most. */
  async flush(mostMs: number): Promise<{ waiting: Letter[] }> {
    const end = performance.now() + mostMs;
    const { globalSeq: until } = await this.#options.store.commit({});
    this.kick();
    const isDone = async (): Promise<boolean> => {
      if ((await this.#options.store.offset(OFFSET)) < until) return false;
      // Then whoever delivers has the letters.
      if (this.#isElsewhere) return true;
      return this.#letters.list("pending").every(({ id }) => this.#unable.has(id));
    };
    while (performance.now() < end && !(await isDone())) await sleep(20);
    return { waiting: this.#letters.list("pending") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#held.abort();
    this.#wake?.();
    await this.#running?.catch(() => undefined);
    this.#keeper[Symbol.dispose]();
    if (this.#lease) await this.#options.store.release(this.#lease).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#isStale = false;
      try {
        if (await this.#take()) {
          await this.#writeLetters();
          this.#deliver();
        }
      } catch (error) {
        // A busy store, or a full disk: the next look tries again, from the offset that was committed.
        if (!(error instanceof StoreError)) this.#options.notice(`hooks: ${error instanceof Error ? error.message : String(error)}`);
        else if (error.code === "STORE_STALE_LEASE") this.#lose();
      }
      if (!this.#isStale && !signal.aborted) await this.#pause();
    }
    await Promise.all(this.#busy.values());
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_MS);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  async #take(): Promise<boolean> {
    if (this.#lease) return true;
    const { store, clock, holder, isDead } = this.#options;
    const now = clock.now();
    const request = { key: LEASE, holder, until: now + LEASE_MS, now };
    let taken = await store.acquire(request);
    if (!taken.ok && isDead(taken.heldBy.holder)) taken = await store.acquire({ ...request, breakEpoch: taken.heldBy.epoch });
    this.#isElsewhere = !taken.ok;
    if (!taken.ok) return false;
    this.#lease = taken.lease;
    this.#held = new AbortController();
    this.#keeper.keep(taken.lease, () => this.#lose());
    return true;
  }

  #lose(): void {
    if (this.#lease) this.#keeper.drop(this.#lease);
    this.#lease = undefined;
    this.#held.abort();
  }

  /** All letters of a page are on disk before the offset passes it. */
  async #writeLetters(): Promise<void> {
    const { store, writer } = this.#options;
    for (;;) {
      const after = await store.offset(OFFSET);
      const events = await store.readAll({ after, limit: PAGE });
      const last = events.at(-1);
      if (!last || !this.#lease) return;
      const letters: Letter[] = [];
      for (const event of events) letters.push(...(await writer.write(event)));
      this.#letters.write(letters);
      await store.commit({ fence: [this.#lease], projections: [{ kind: "offset", key: OFFSET, value: last.globalSeq }] });
    }
  }

  #deliver(): void {
    for (const [key, letters] of Map.groupBy(this.#letters.list("pending"), (l) => l.key)) {
      if (this.#busy.has(key)) continue;
      const work = this.#deliverAll(letters, this.#held.signal).finally(() => {
        this.#busy.delete(key);
        this.#isStale = true;
        this.#wake?.();
      });
      // What comes of a letter is in its file.
      this.#busy.set(
        key,
        work.catch((error: unknown) => this.#options.notice(`hooks: ${error instanceof Error ? error.message : String(error)}`)),
      );
    }
  }

  async #deliverAll(letters: readonly Letter[], held: AbortSignal): Promise<void> {
    for (const letter of letters) {
      if (held.aborted || this.#unable.has(letter.id)) continue;
      await this.#deliverOne(letter, held);
    }
  }

  async #deliverOne(first: Letter, held: AbortSignal): Promise<void> {
    const { world, notice } = this.#options;
    const { callee, payload, project } = first;
    for (let letter = first; ;) {
      const called = await callHook({ callee, payload, project, signal: held }, world);
      if (held.aborted) return;
      if (called.kind === "unable") {
        if (callee.call.kind === "desktop") {
          // Nobody sits at this machine: there is nothing to try again.
          this.#letters.delivered(letter);
          if (!this.#down.has(letter.key)) notice(`hook ${callee.name}: ${called.detail}`);
          this.#down.add(letter.key);
        } else this.#letters.update({ ...letter, lastError: called.detail });
        this.#unable.set(letter.id, called.detail);
        return;
      }
      if (called.kind === "answered" && called.code === 0) {
        this.#down.delete(letter.key);
        this.#letters.delivered(letter);
        return;
      }
      const lastError = called.kind === "failed" ? called.detail : `exit code ${called.code}${called.body && `: ${called.body}`}`;
      letter = { ...letter, tries: letter.tries + 1, lastError };
      if (letter.tries > callee.retries || this.#down.has(letter.key)) {
        this.#letters.giveUp(letter);
        if (!this.#down.has(letter.key))
          notice(
            `hook ${callee.name}: ${payload.event.type} was not delivered after ${letter.tries} tries: ${lastError.split("\n")[0] ?? ""}`,
          );
        this.#down.add(letter.key);
        return;
      }
      this.#letters.update(letter);
      await sleep(callee.backoffMs * 2 ** (letter.tries - 1), undefined, { signal: held }).catch(() => undefined);
      if (held.aborted) return;
    }
  }
}
