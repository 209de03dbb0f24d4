import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../domain/index.ts";
import { LeaseKeeper } from "../fleet/index.ts";
import { noLog, type Log } from "../logs/index.ts";
import { StoreError, type LeaseRef, type Store } from "../store/index.ts";
import { LetterCarrier } from "./carry-letters.ts";
import type { CallingWith, Letter } from "./contract.ts";
import { Letters } from "./letters.ts";
import type { LetterWriter } from "./write-letters.ts";

const LEASE = "hooks";
const LEASE_MS = 30_000;
const LOOK_MS = 1000;
/** Without work the lease is kept for so long: the next event is not far, most often. */
const IDLE_MS = 3000;
const PAGE = 500;
const FEW = 50;
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
  log?: Log;
  /** Of one hook; default 1,000. */
  mostDead?: number;
}

/**
 * Delivers the events of a home to its hooks. Of all processes that could, the one that holds the lease does: it reads on in the journal from where
 * the last one stopped, writes a letter for each event and hook, and carries the letters out. When it has nothing more to do it lets the lease go: what
 * it could not deliver another one may.
 */
export class Deliverer implements AsyncDisposable {
  readonly #options: DelivererOptions;
  readonly #letters: Letters;
  readonly #keeper: LeaseKeeper;
  readonly #abort = new AbortController();
  readonly #carrier: LetterCarrier;
  readonly #log: Log;
  #lease: LeaseRef | undefined;
  /** Ends what is under way when the lease is somebody else's. */
  #held = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #isStale = false;
  #idleSince: number | undefined;
  /** Another process delivers. */
  #isElsewhere = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#letters = new Letters(options.home);
    this.#log = (options.log ?? noLog).child({ room: "hooks" });
    const { world, notice, mostDead } = options;
    const onIdle = (): void => {
      this.#isStale = true;
      this.#wake?.();
    };
    this.#carrier = new LetterCarrier({ letters: this.#letters, world, log: this.#log, notice, onIdle, mostDead });
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

  /**
   * Until all that the journal holds now is delivered, given up on, or another process's to do, for so long at most. `alsoElsewhere`: what another
   * process does is waited for, too.
   */
  async flush(mostMs: number, { alsoElsewhere = false }: { alsoElsewhere?: boolean } = {}): Promise<{ waiting: Letter[] }> {
    const end = performance.now() + mostMs;
    const { globalSeq: until } = await this.#options.store.commit({});
    this.kick();
    let waiting = 0;
    const isDone = async (): Promise<boolean> => {
      if ((await this.#options.store.offset(OFFSET)) < until) return false;
      // Then whoever delivers has the letters.
      if (this.#isElsewhere && !alsoElsewhere) return true;
      waiting = this.#carrier.waiting().length;
      return waiting === 0;
    };
    while (performance.now() < end && !(await isDone())) await sleep(waiting > FEW ? 500 : 20);
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
        // After a jump of the clock what is held here has run out by the clock.
        await this.#keeper.catchUp();
        if (!(await this.#hasWork())) await this.#rest();
        else if (await this.#take()) {
          await this.#writeLetters();
          this.#carrier.carry(this.#held.signal);
        }
      } catch (error) {
        // A busy store, or a full disk: the next look tries again, from the offset that was committed.
        this.#isStale = false;
        this.#log.warn("hooks-put-off", "the journal could not be turned into deliveries: it is tried again", { error });
        if (!(error instanceof StoreError)) this.#options.notice(`hooks: ${error instanceof Error ? error.message : String(error)}`);
        else if (error.code === "STORE_STALE_LEASE") this.#lose();
      }
      if (!this.#isStale && !signal.aborted) await this.#pause();
    }
    await this.#carrier.idle();
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_MS);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  async #hasWork(): Promise<boolean> {
    if (this.#carrier.isBusy || this.#carrier.waiting().length > 0) return true;
    const { store } = this.#options;
    return (await store.readAll({ after: await store.offset(OFFSET), limit: 1 })).length > 0;
  }

  async #rest(): Promise<void> {
    this.#isElsewhere = false;
    const now = performance.now();
    this.#idleSince ??= now;
    const lease = this.#lease;
    if (!lease || now - this.#idleSince < IDLE_MS) return;
    this.#keeper.drop(lease);
    this.#lease = undefined;
    await this.#options.store.release(lease);
  }

  async #take(): Promise<boolean> {
    this.#idleSince = undefined;
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
    if (!this.#lease) return;
    this.#log.warn("hooks-lease-lost", "another process delivers to hooks now");
    this.#keeper.drop(this.#lease);
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
}
