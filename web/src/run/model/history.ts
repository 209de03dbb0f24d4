import { apply, emptyRun, type Recorded, type RunState } from "../../../../src/domain/index.ts";
import { copyState } from "./copy-state.ts";
import { Facts } from "./facts.ts";

/** A state every so many events, so that a seek folds no more than these. */
export const SNAPSHOT_EVERY = 1000;
/** More snapshots than this, and every second one goes: a seek then folds more, and memory stays bounded. */
const MOST_SNAPSHOTS = 64;

/** The state of a run at any of its events. The events themselves belong to whoever hands them in. */
export class RunHistory {
  readonly facts = new Facts();
  readonly #head = emptyRun();
  #events: readonly Recorded[] = [];
  #snapshots: RunState[] = [];
  #every = SNAPSHOT_EVERY;
  /** The last seek: going on from it by one event costs one event. */
  #cursor: RunState | undefined;

  /** The version of the last event. */
  get last(): number {
    return this.#head.version;
  }

  /** Takes in what is new. `events[i].version === i + 1`, and those that were handed in before are the same. */
  follow(events: readonly Recorded[]): void {
    this.#events = events;
    for (let i = this.#head.version; i < events.length; i++) {
      const recorded = events[i];
      if (!recorded) return;
      apply(this.#head, recorded);
      this.facts.take(recorded, this.#head);
      if (recorded.version % this.#every === 0) this.#snapshot();
    }
  }

  /** The state once the event of that version was taken in; 0: before all. Read it before the next `follow` or `at`: both go on with it. */
  at(version: number): RunState {
    const wanted = Math.max(0, Math.min(version, this.last));
    if (wanted === this.last) return this.#head;
    if (!this.#cursor || this.#cursor.version > wanted || wanted - this.#cursor.version > this.#every) this.#cursor = this.#before(wanted);
    const state = this.#cursor;
    for (let next = this.event(state.version + 1); next && state.version < wanted; next = this.event(state.version + 1)) apply(state, next);
    return state;
  }

  event(version: number): Recorded | undefined {
    return this.#events[version - 1];
  }

  /** The last version at or before that time, epoch ms. */
  versionAt(at: number): number {
    let low = 0;
    let high = this.last;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.event(middle)?.at ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #before(version: number): RunState {
    const found = this.#snapshots.findLast((s) => s.version <= version);
    return found ? copyState(found) : emptyRun();
  }

  #snapshot(): void {
    this.#snapshots.push(copyState(this.#head));
    if (this.#snapshots.length <= MOST_SNAPSHOTS) return;
    this.#every *= 2;
    this.#snapshots = this.#snapshots.filter((s) => s.version % this.#every === 0);
  }
}
