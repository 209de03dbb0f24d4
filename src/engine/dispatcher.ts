import type { RunEvent } from "../domain/index.ts";
import { LeaseKeeper, parseHolder } from "../fleet/index.ts";
import { StoreError, type Reservation } from "../store/index.ts";
import { carryOut } from "./attempt.ts";
import type { AttemptWork } from "./attempt.ts";
import type { EngineDeps } from "./contract.ts";
import type { Fact } from "./run-log.ts";

/** What the dispatcher asks of a run that it does attempts for. */
export interface DispatchedRun {
  runId: string;
  submit(fact: Fact): Promise<void>;
  /** What an attempt needs, or `undefined` when the journal does not want it any more. */
  work(reservation: Reservation, signal: AbortSignal): Promise<AttemptWork | undefined>;
  /** Something ended. */
  onIdle(): void;
}

const LOOK_AGAIN_MS = 1000;

/**
 * This process as a node: while slots are free and the queue has work it may do, it reserves as much as fits in one call and starts
 * it at once. A slot is given back in `finally`, before the attempt's outcome is durable: the next attempt need not wait for a
 * disk.
 */
export class Dispatcher implements Disposable {
  readonly #deps: EngineDeps;
  readonly #keeper: LeaseKeeper;
  readonly #leaseMs: number;
  readonly #machine: string;
  readonly #runs = new Map<string, DispatchedRun>();
  readonly #draining = new Set<string>();
  readonly #inFlight = new Map<string, { abort: AbortController; runId: string }>();
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
    this.#timer = setInterval(() => this.kick(), LOOK_AGAIN_MS);
  }

  get leases(): LeaseKeeper {
    return this.#keeper;
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
    flight?.abort.abort(new Error(because));
    return flight !== undefined;
  }

  stopAll(runId: string, because: string): void {
    for (const flight of this.#inFlight.values()) if (flight.runId === runId) flight.abort.abort(new Error(because));
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
        if (limit <= 0 || runs.length === 0) return;
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
        for (const reservation of reserved) void this.#attempt(reservation);
      } while (this.#again);
    } catch (error) {
      // A busy store: the timer tries again. A closed one: the run's log has seen it too and ends the run.
      if (!(error instanceof StoreError)) throw error;
    } finally {
      this.#reserving = false;
      if (this.#again) this.kick();
    }
  }

  async #attempt(reservation: Reservation): Promise<void> {
    const { entry, lease } = reservation;
    const run = this.#runs.get(entry.runId);
    const abort = new AbortController();
    let lost = false;
    this.#busy += 1;
    this.#perRun.set(entry.runId, this.inFlight(entry.runId) + 1);
    this.#inFlight.set(entry.id, { abort, runId: entry.runId });
    this.#keeper.keep(lease, () => {
      lost = true;
      abort.abort(new Error("its lease was taken over"));
    });
    let events: RunEvent[] | undefined;
    try {
      const work = await run?.work(reservation, abort.signal);
      if (run && work) {
        await run.submit({
          events: [
            {
              type: "AttemptStarted",
              data: {
                attempt: entry.id,
                step: work.step.path,
                agent: reservation.agent,
                node: this.#deps.node,
                epoch: lease.epoch,
                ...(work.execution.credentials ? { credentials: work.execution.credentials } : {}),
                queuedMs: Math.max(0, this.#deps.clock.now() - entry.enqueuedAt),
                ...(work.execution.executor.needsWorkspace ? { from: work.from } : {}),
              },
            },
            ...sessionTaken(work),
          ],
          fence: lease,
          cause: entry.id,
        });
        events = await carryOut(this.#deps, work);
      }
    } catch (error) {
      // The lease or the run is somebody else's now: theirs to record. The run's log reports a store that is gone.
      if (!(error instanceof StoreError)) throw error;
      lost = true;
    } finally {
      this.#busy -= 1;
      this.#inFlight.delete(entry.id);
      this.#keeper.drop(lease);
    }
    this.#slotFree(reservation.account);
    try {
      // An attempt that the journal does not want any more only leaves the queue.
      if (run && !lost) await run.submit({ events: events ?? [], settle: lease, cause: entry.id });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    } finally {
      this.#perRun.set(entry.runId, this.inFlight(entry.runId) - 1);
      run?.onIdle();
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#keeper[Symbol.dispose]();
  }
}

function sessionTaken({ attempt, step, session }: AttemptWork): RunEvent[] {
  if (!session) return [];
  return [{ type: "SessionTaken", data: { attempt, step: step.path, session: session.id, folder: session.folder } }];
}
