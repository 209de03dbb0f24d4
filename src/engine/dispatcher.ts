import type { RunEvent } from "../domain/index.ts";
import { LeaseKeeper, parseHolder } from "../fleet/index.ts";
import { noLog, type Log } from "../logs/index.ts";
import { StoreError, type HeldLease, type LeaseRef } from "../store/index.ts";
import { carryOut } from "./attempt.ts";
import type { AttemptSignals, AttemptWork, CarriedOut } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import { EngineError } from "./errors.ts";
import type { Abandoned } from "./prepare-work.ts";
import type { Fact } from "./run-log.ts";
import { Watches } from "./watch.ts";

/** What the dispatcher asks of a run that it does attempts for. */
export interface DispatchedRun {
  runId: string;
  submit(fact: Fact): Promise<void>;
  /** What an attempt needs, or `undefined` when the journal does not want it any more. */
  work(assigned: Assigned, signals: AttemptSignals): Promise<AttemptWork | Abandoned | undefined>;
  /** Something ended. */
  onIdle(): void;
  /** It cannot go on now; what is in the journal stays. */
  fail(error: unknown): void;
}

/** An attempt that this process holds the lease of. */
export interface Assigned {
  id: string;
  agent: string;
  lease: LeaseRef;
  /** Epoch ms; absent for one that is taken up. */
  enqueuedAt?: number;
}

interface Flight {
  runId: string;
  /** Ends its processes. */
  stop: AbortController;
  /** Leaves them to whoever takes the attempt up. */
  letGo: AbortController;
}

const LOOK_AGAIN_MS = 1000;
/** Failures that say more of this machine than of the work: an agent that cannot be started is one. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(["crash", "setup", "internal"]);
/** Keepers that are started before they are needed. Each takes some 12 MB while it waits. */
const MOST_PREPARED = 6;

/**
 * This process as a node: while slots are free and the queue has work it may do, it reserves as much as fits in one call and starts
 * it at once. A slot is given back in `finally`, before the attempt's outcome is durable: the next attempt need not wait for a
 * disk.
 */
export class Dispatcher implements Disposable {
  readonly #deps: EngineDeps;
  readonly #keeper: LeaseKeeper;
  readonly #watches: Watches;
  readonly #leaseMs: number;
  readonly #machine: string;
  readonly #log: Log;
  readonly #runs = new Map<string, DispatchedRun>();
  readonly #draining = new Set<string>();
  readonly #inFlight = new Map<string, Flight>();
  readonly #perRun = new Map<string, number>();
  #busy = 0;
  #reserving = false;
  #again = false;
  /** The queue had nothing more that this process may do. */
  #isDry = false;
  readonly #timer: NodeJS.Timeout;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.#leaseMs = deps.leaseMs ?? 30_000;
    this.#machine = parseHolder(deps.node)?.host ?? deps.node;
    this.#keeper = new LeaseKeeper(deps.store, deps.clock, this.#leaseMs);
    this.#watches = new Watches(deps);
    this.#log = (deps.log ?? noLog).child({ room: "engine" });
    this.#timer = setInterval(() => this.kick(), LOOK_AGAIN_MS);
  }

  get leases(): LeaseKeeper {
    return this.#keeper;
  }

  /** Agents are about to start, at most one for each of these steps; some are enough to begin with. */
  prepare(steps: number): void {
    this.#deps.keepers?.prepare(Math.min(steps, this.#deps.slots, MOST_PREPARED));
  }

  add(run: DispatchedRun): void {
    this.#runs.set(run.runId, run);
    this.kick();
  }

  /** Starts no further attempt of the run; what is in flight goes on. */
  drain(runId: string): void {
    this.#draining.add(runId);
  }

  remove(runId: string): void {
    this.#runs.delete(runId);
    this.#draining.delete(runId);
  }

  inFlight(runId: string): number {
    return this.#perRun.get(runId) ?? 0;
  }

  /** Ends an attempt. Answers false when it does not run here. */
  stop(attempt: string, because: string): boolean {
    const flight = this.#inFlight.get(attempt);
    flight?.stop.abort(new Error(because));
    return flight !== undefined;
  }

  stopAll(runId: string, because: string): void {
    for (const flight of this.#inFlight.values()) if (flight.runId === runId) flight.stop.abort(new Error(because));
  }

  /** Has nothing more to do with a run's attempts. Their agents work on where they have a keeper. */
  letGo(runId: string, because: string): void {
    for (const flight of this.#inFlight.values()) if (flight.runId === runId) leave(flight, because);
  }

  /**
   * Goes on with an attempt whose engine is gone, also when all slots are taken: its agent works already. Nothing is done when somebody else
   * has it by now.
   */
  async takeUp(run: DispatchedRun, { id, agent }: { id: string; agent: string }, held: HeldLease | undefined): Promise<void> {
    const { store, clock, node, registry } = this.#deps;
    const now = clock.now();
    const breakEpoch = held === undefined ? {} : { breakEpoch: held.epoch };
    const taken = await store.acquire({ key: id, holder: node, until: now + this.#leaseMs, now, ...breakEpoch });
    if (!taken.ok) return;
    this.#log.info("attempt-taken-up", "its engine is gone and its agent is not: this process goes on with it", { attempt: id });
    void this.#attempt(run.runId, { id, agent, lease: taken.lease }, registry.get(agent).account);
  }

  /** There may be work. */
  kick(): void {
    this.#isDry = false;
    this.#look();
  }

  /** A slot is free. Worth a look when the queue had more than fitted, or when the account it belongs to is limited. */
  #slotFree(account: string): void {
    if (Object.hasOwn(this.#deps.registry.accountSlots(), account)) this.#isDry = false;
    this.#look();
  }

  #look(): void {
    if (this.#isDry) return;
    if (this.#reserving) this.#again = true;
    else void this.#reserve();
  }

  async #reserve(): Promise<void> {
    this.#reserving = true;
    try {
      do {
        this.#again = false;
        const limit = this.#deps.slots - this.#busy;
        const runs = [...this.#runs.keys()].filter((id) => !this.#draining.has(id));
        if (limit <= 0 || runs.length === 0 || !(await this.#hasDiskRoom())) return;
        await this.#keeper.catchUp();
        const reserved = await this.#deps.store.reserve({
          node: this.#deps.node,
          agents: this.#deps.registry.list().map(({ id, account }) => ({ id, account })),
          accountSlots: this.#deps.registry.accountSlots(),
          // Several engines on one machine share its slots.
          machine: { id: this.#machine, slots: this.#deps.slots, busy: this.#busy },
          limit,
          runs,
          now: this.#deps.clock.now(),
          leaseMs: this.#leaseMs,
        });
        // Set before anything is awaited again: a kick that comes now counts.
        if (reserved.length < limit && !this.#again) this.#isDry = true;
        for (const { entry, agent, account, lease } of reserved)
          void this.#attempt(entry.runId, { id: entry.id, agent, lease, enqueuedAt: entry.enqueuedAt }, account);
      } while (this.#again);
    } catch (error) {
      // A busy store: the timer tries again. A closed one: the run's log has seen it too and ends the run.
      if (!(error instanceof StoreError)) throw error;
      this.#log.warn("reserve-put-off", "the queue could not be asked: it is asked again", { error });
    } finally {
      this.#reserving = false;
      if (this.#again) this.kick();
    }
  }

  /** Where the disk has no room for a further attempt: others that end make some, and alone the run is not to go on. */
  async #hasDiskRoom(): Promise<boolean> {
    const { isolation, store, node, clock } = this.#deps;
    if (!isolation) return true;
    const now = clock.now();
    const first = await isolation.room(this.#busy);
    if (first.kind !== "refuse") return first.kind === "ok";
    const others = (await store.leases("")).filter((l) => l.key.includes("#") && l.holder !== node && l.until > now).length;
    const room = await isolation.room(this.#busy + others);
    if (room.kind !== "refuse") return room.kind === "ok";
    for (const run of this.#runs.values()) run.fail(new EngineError("NO_DISK_ROOM", room.because, room.hint));
    return false;
  }

  async #attempt(runId: string, assigned: Assigned, account: string): Promise<void> {
    const { id, lease } = assigned;
    const run = this.#runs.get(runId);
    const flight: Flight = { runId, stop: new AbortController(), letGo: new AbortController() };
    this.#busy += 1;
    this.#perRun.set(runId, this.inFlight(runId) + 1);
    this.#inFlight.set(id, flight);
    const about = { run: runId, attempt: id };
    this.#keeper.keep(lease, () => {
      this.#log.warn("attempt-lease-lost", "its lease was taken over: this process has left the attempt", about);
      leave(flight, "its lease was taken over");
    });
    let done: CarriedOut | undefined;
    let work: AttemptWork | Abandoned | undefined;
    try {
      work = await run?.work(assigned, { signal: flight.stop.signal, letGo: flight.letGo.signal });
      if (work && "abandoned" in work) done = { events: [...work.abandoned], cleanUp: () => Promise.resolve() };
      else if (run && work) {
        await run.submit({ events: this.#started(work, assigned), fence: lease, cause: id });
        done = await carryOut(this.#deps, work, this.#watches);
      }
    } catch (error) {
      // The lease or the run is somebody else's now: theirs to record. The run's log reports a store that is gone.
      this.#log.error("attempt-broke-off", "it was not carried through here", { ...about, error });
      leave(flight, error instanceof Error ? error.message : String(error));
      if (!(error instanceof StoreError)) run?.fail(error);
    } finally {
      this.#busy -= 1;
      this.#inFlight.delete(id);
      this.#keeper.drop(lease);
      if (work && "releaseMoney" in work) void work.releaseMoney?.();
    }
    this.#slotFree(account);
    for (const { type, data } of done?.events ?? [])
      if (type === "AttemptFailed" && OF_THE_MACHINE.has(data.kind))
        this.#log.warn("attempt-failed", data.message, { ...about, data: { kind: data.kind, agent: assigned.agent } });
    try {
      // An attempt that the journal does not want any more only leaves the queue.
      if (run && !flight.letGo.signal.aborted) {
        await run.submit({ events: done?.events ?? [], settle: lease, cause: id });
        // Files of keepers that cannot be removed now are removed by whoever drives the run next, or by `stepfall gc`.
        await Promise.all([done?.cleanUp(), this.#deps.keepers?.forget(id).catch(() => undefined)]);
      }
    } catch (error) {
      this.#log.error("attempt-end-unwritten", "what came of it could not be written", { ...about, error });
      if (!(error instanceof StoreError)) run?.fail(error);
    } finally {
      this.#perRun.set(runId, this.inFlight(runId) - 1);
      run?.onIdle();
    }
  }

  #started(work: AttemptWork, { id, agent, lease, enqueuedAt }: Assigned): RunEvent[] {
    const { node, clock } = this.#deps;
    const of = { attempt: id, step: work.step.path };
    if (work.takenUp) return [{ type: "AttemptReattached", data: { ...of, node, epoch: lease.epoch } }];
    const { credentials, executor } = work.execution;
    const started: RunEvent = {
      type: "AttemptStarted",
      data: {
        ...of,
        agent,
        node,
        epoch: lease.epoch,
        ...(credentials ? { credentials } : {}),
        queuedMs: enqueuedAt === undefined ? 0 : Math.max(0, clock.now() - enqueuedAt),
        ...(executor.needsWorkspace ? { from: work.from } : {}),
      },
    };
    const { session } = work;
    return session ? [started, { type: "SessionTaken", data: { ...of, session: session.id, folder: session.folder } }] : [started];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#watches[Symbol.dispose]();
    this.#keeper[Symbol.dispose]();
  }
}

/** First its processes are let go of, then the work on it ends: nothing of what it does then may reach them. */
function leave(flight: Flight, because: string): void {
  flight.letGo.abort(new Error(because));
  flight.stop.abort(new Error(because));
}
