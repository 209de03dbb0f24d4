import {
  apply,
  decide,
  emptyRun,
  fold,
  runStream,
  type Clock,
  type Decision,
  type Recorded,
  type RunEvent,
  type RunState,
} from "../domain/index.ts";
import { noLog, type Log } from "../logs/index.ts";
import { StoreError, type Commit, type LeaseRef, type NewEvent, type QueueEntry, type Store } from "../store/index.ts";
import { evaluate } from "./evaluate.ts";
import { inboxChange } from "./inbox.ts";
import { rowOf } from "./run-row.ts";

/** Something that happened, to be recorded. All its events are written, or none. */
export interface Fact {
  events: readonly RunEvent[];
  /** A lease the reporter must still hold. */
  fence?: LeaseRef;
  /** The attempt is over: ends its lease and its queue entry. */
  settle?: LeaseRef;
  withdraw?: readonly string[];
  cause?: string;
  actor?: string;
}

/** A decision that is an effect: to be under way after what was decided with it is durable. */
export type Effect = Exclude<Decision, { kind: "record" | "route" | "resolve" | "expand" | "conclude" }>;

/** Turns a `route` decision into AttemptRouted with its queue entry, or into the event that says why it cannot be. */
export type RouteDecision = (
  decision: Extract<Decision, { kind: "route" }>,
  state: RunState,
  now: number,
) => { event: RunEvent; entry?: QueueEntry };

interface Waiting {
  fact: Fact;
  resolve: () => void;
  reject: (error: unknown) => void;
}

interface Round {
  events: NewEvent[];
  enqueue: QueueEntry[];
  withdraw: string[];
  effects: Effect[];
}

/**
 * The one writer of a run's stream in this process. Facts come in from attempts and merges; each round takes all that have come,
 * folds them, decides until nothing more follows, and writes everything in one transaction: events, queue entries, ended
 * leases, the run's row. While a round is being written the next one gathers, so the number of transactions does not grow with
 * the number of attempts. Nothing is started before the decision for it is durable.
 *
 * When the journal has moved (a cancel from another process) the round is thrown away, the state folded anew and the same
 * facts decided again.
 */
export class RunLog {
  state: RunState;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #stream: string;
  readonly #runLease: LeaseRef;
  readonly #route: RouteDecision;
  readonly #onRound: (effects: Effect[], recorded: readonly { version: number; at: number; event: RunEvent }[]) => void;
  readonly #onLost: (error: unknown) => void;
  readonly #log: Log;
  /** Inbox items that have a row in the store. */
  readonly #shown: Set<string>;
  /** Version of the last event known to be in the journal. */
  #committed: number;
  #waiting: Waiting[] = [];
  #asked = false;
  #absorbAsked = false;
  #pumping = false;
  #lost = false;

  constructor(options: {
    store: Store;
    clock: Clock;
    runId: string;
    state: RunState;
    runLease: LeaseRef;
    /** Inbox items of the run that have a row in the store. */
    shown: readonly string[];
    route: RouteDecision;
    onRound: (effects: Effect[], recorded: readonly { version: number; at: number; event: RunEvent }[]) => void;
    /** The run is somebody else's now, or the store is gone: nothing more can be written. */
    onLost: (error: unknown) => void;
    /** What is said beside the journal. */
    log?: Log;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#stream = runStream(options.runId);
    this.state = options.state;
    this.#committed = options.state.version;
    this.#runLease = options.runLease;
    this.#shown = new Set(options.shown);
    this.#route = options.route;
    this.#onRound = options.onRound;
    this.#onLost = options.onLost;
    this.#log = (options.log ?? noLog).child({ room: "engine", run: options.runId });
  }

  /** Resolves when the fact is durable; rejects with STORE_STALE_LEASE when its lease is not held any more. */
  submit(fact: Fact): Promise<void> {
    if (this.#lost)
      return Promise.reject(
        new StoreError(
          "STORE_STALE_LEASE",
          `run ${this.#stream} is no longer driven here`,
          "Nothing to do: another process goes on with it.",
        ),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ fact, resolve, reject });
      this.poke();
    });
  }

  /** Looks at the journal and decides again. */
  poke(): void {
    this.#asked = true;
    if (!this.#pumping) void this.#pump();
  }

  /** Nothing is being written or waits to be. */
  get isQuiet(): boolean {
    return !this.#pumping && this.#waiting.length === 0;
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    // Facts that arrive in the same turn of the event loop belong into the same round.
    await Promise.resolve();
    try {
      while ((this.#asked || this.#waiting.length > 0) && !this.#lost) {
        this.#asked = false;
        if (this.#absorbAsked) {
          this.#absorbAsked = false;
          await this.#absorb();
        }
        const waiting = this.#waiting;
        this.#waiting = [];
        await this.#round(waiting);
      }
    } catch (error) {
      this.#lose(error);
    } finally {
      this.#pumping = false;
    }
  }

  async #round(waiting: Waiting[]): Promise<void> {
    const facts = waiting.map((w) => w.fact);
    const before = this.#committed;
    const round = this.#decideAll(facts);
    const settle = facts.flatMap((f) => (f.settle ? [f.settle] : []));
    const withdraw = [...round.withdraw, ...facts.flatMap((f) => f.withdraw ?? [])];
    if (round.events.length > 0 || settle.length > 0 || withdraw.length > 0) {
      const commit: Commit = {
        fence: [this.#runLease, ...facts.flatMap((f) => (f.fence ? [f.fence] : []))],
        settle,
        withdraw,
        enqueue: round.enqueue,
        ...(round.events.length > 0
          ? {
              appends: [{ stream: this.#stream, expected: before, events: round.events }],
              projections: [rowOf(this.state), ...(inboxChange(this.state, this.#shown) ?? [])],
            }
          : {}),
      };
      try {
        await this.#store.commit(commit);
      } catch (error) {
        await this.#recover(error, waiting);
        return;
      }
      this.#committed = before + round.events.length;
    }
    for (const w of waiting) w.resolve();
    this.#onRound(
      round.effects,
      round.events.map((e, i) => ({ version: before + i + 1, at: e.at, event: e.event })),
    );
  }

  /** Folds the facts in and decides until nothing more follows. Changes `state` ahead of the journal. */
  #decideAll(facts: readonly Fact[]): Round {
    const round: Round = { events: [], enqueue: [], withdraw: [], effects: [] };
    const now = this.#clock.now();
    const take = (event: RunEvent, actor: string, cause?: string): void => {
      round.events.push({ event, at: now, actor, cause });
      apply(this.state, { event, at: now, version: this.state.version + 1 });
    };
    for (const fact of facts) for (const event of fact.events) take(event, fact.actor ?? "engine", fact.cause);
    for (;;) {
      let recorded = false;
      round.effects = [];
      for (const decision of decide(this.state, now)) {
        if (decision.kind === "record") {
          take(decision.event, "engine");
          recorded = true;
        } else if (decision.kind === "route") {
          const { event, entry } = this.#route(decision, this.state, now);
          take(event, "engine");
          if (entry) round.enqueue.push(entry);
          recorded = true;
        } else if (decision.kind === "resolve" || decision.kind === "expand" || decision.kind === "conclude") {
          take(evaluate(decision, this.state), "engine");
          recorded = true;
        } else if (decision.kind === "withdraw") {
          take(
            { type: "AttemptInterrupted", data: { attempt: decision.attempt, step: decision.step, because: decision.because } },
            "engine",
          );
          round.withdraw.push(decision.attempt);
          recorded = true;
        } else {
          round.effects.push(decision);
        }
      }
      if (!recorded) return round;
    }
  }

  async #recover(error: unknown, waiting: Waiting[]): Promise<void> {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "STORE_CONFLICT" || error.code === "STORE_STALE_LEASE") {
      if (error.code === "STORE_STALE_LEASE" && !(await this.#holdsRun())) throw error;
      const seen = this.#committed;
      this.#log.debug("round-again", "the journal has moved: what came is decided again", { data: { code: error.code } });
      await this.#reload();
      this.#announceForeign(seen);
      if (error.code === "STORE_STALE_LEASE") {
        // Some attempt's lease was taken over. Alone, each fact shows whether it is the one.
        if (waiting.length <= 1) {
          for (const w of waiting) w.reject(error);
          this.#asked = true;
          return;
        }
        for (const w of waiting) await this.#round([w]);
        return;
      }
      this.#waiting = [...waiting, ...this.#waiting];
      return;
    }
    if (error.code === "STORE_BUSY") {
      this.#log.warn("store-busy", "the store was busy for too long: what came is written again", { error });
      await this.#reload();
      this.#waiting = [...waiting, ...this.#waiting];
      return;
    }
    throw error;
  }

  #foreign: Recorded[] = [];

  async #reload(): Promise<void> {
    const events = await this.#store.read(this.#stream);
    const rows = await this.#store.listInbox({ runId: this.state.runId });
    this.#shown.clear();
    for (const { item } of rows) this.#shown.add(item);
    this.#foreign = events.filter((e) => e.version > this.#committed);
    this.state = fold(events, emptyRun());
    this.#committed = this.state.version;
  }

  #announceForeign(after: number): void {
    this.#onRound(
      [],
      this.#foreign.filter((e) => e.version > after).map((e) => ({ version: e.version, at: e.at, event: e.event })),
    );
    this.#foreign = [];
  }

  /** Takes in what other processes appended (a conflict would find it as well, later). */
  absorb(): void {
    this.#absorbAsked = true;
    this.poke();
  }

  async #absorb(): Promise<void> {
    const events = await this.#store.read(this.#stream, { after: this.#committed });
    for (const e of events) apply(this.state, e);
    if (events.length === 0) return;
    this.#committed = this.state.version;
    this.#onRound(
      [],
      events.map((e) => ({ version: e.version, at: e.at, event: e.event })),
    );
  }

  async #holdsRun(): Promise<boolean> {
    const held = await this.#store.leases(this.#runLease.key);
    return held.some((l) => l.key === this.#runLease.key && l.epoch === this.#runLease.epoch);
  }

  #lose(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const w of waiting) w.reject(error);
    this.#onLost(error);
  }
}
