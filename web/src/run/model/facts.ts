import { stillWaits, type EventData, type InboxItem, type Recorded, type RunState } from "../../../../src/domain/index.ts";

/** What a fact is true from: the version of its event, and when that was, epoch ms. */
interface Since {
  version: number;
  at: number;
}

export interface RouteFact extends Since, Pick<EventData<"AttemptRouted">, "type" | "complexity" | "escalatedFrom" | "policy"> {}
export interface FeedbackFact extends Since, EventData<"FeedbackGiven"> {}
export interface PickFact extends Since, EventData<"CandidatePicked"> {}
export interface MergedFact extends Since, EventData<"RunMerged"> {
  by: string;
}
export interface ReassignFact extends Since, EventData<"StepReassigned"> {}

/** Something that waited for people, from its opening on. */
export interface WaitFact extends Since, Pick<InboxItem, "item" | "step" | "kind" | "title"> {
  closed?: Since;
  /** Who said what, whether it counted or not. */
  said: (Since & Pick<EventData<"InboxAnswered">, "by" | "verdict" | "text">)[];
}

/**
 * What the events of a run tell that its state does not keep. Only ever added to; each fact knows from which version it holds, so that the
 * page as it was at an event is a filter.
 */
export class Facts {
  readonly #routes = new Map<string, RouteFact>();
  readonly #merges = new Map<string, Since>();
  readonly #feedback: FeedbackFact[] = [];
  readonly #picks: PickFact[] = [];
  readonly #reassigned: ReassignFact[] = [];
  readonly #waits: WaitFact[] = [];
  readonly #merged: MergedFact[] = [];
  readonly #open = new Map<string, WaitFact>();
  /** By step, the versions of the events that are about it; under the empty name those that are about no one step. */
  readonly #touches = new Map<string, number[]>();

  /** `state`: after the event. */
  take({ event, version, at, actor }: Recorded, state: RunState): void {
    const since = { version, at };
    this.#touch(stepOf(event.data), version);
    switch (event.type) {
      case "AttemptRouted": {
        const { type, complexity, escalatedFrom, policy } = event.data;
        this.#routes.set(event.data.attempt, { ...since, type, complexity, escalatedFrom, policy });
        break;
      }
      case "ResultMerged":
        this.#merges.set(event.data.attempt, since);
        break;
      case "RunMerged":
        this.#merged.push({ ...since, ...event.data, by: actor });
        break;
      case "FeedbackGiven":
        this.#feedback.push({ ...since, ...event.data });
        break;
      case "CandidatePicked":
        this.#picks.push({ ...since, ...event.data });
        break;
      case "StepReassigned":
        this.#reassigned.push({ ...since, ...event.data });
        break;
      case "InboxOpened": {
        const { item, step, kind, title } = event.data;
        if (!state.inbox.has(item) || this.#open.has(item)) break;
        const wait: WaitFact = { ...since, item, step, kind, title, said: [] };
        this.#waits.push(wait);
        this.#open.set(item, wait);
        break;
      }
      case "InboxAnswered": {
        const { by, verdict, text } = event.data;
        this.#open.get(event.data.item)?.said.push({ ...since, by, verdict, text });
        break;
      }
      default:
    }
    if (this.#open.size === 0) return;
    const isOver = state.status === "finished";
    for (const [item, wait] of this.#open) {
      const waiting = state.inbox.get(item);
      if (!isOver && waiting && stillWaits(waiting)) continue;
      wait.closed = since;
      this.#open.delete(item);
    }
  }

  /** The last event up to `version` that can have changed what is shown of a step. */
  touched(step: string, version: number): number {
    return Math.max(lastUpTo(this.#touches.get(step), version), lastUpTo(this.#touches.get(""), version));
  }

  #touch(step: string, version: number): void {
    const touches = this.#touches.get(step);
    if (touches) touches.push(version);
    else this.#touches.set(step, [version]);
  }

  route(attempt: string): RouteFact | undefined {
    return this.#routes.get(attempt);
  }

  /** When its result reached the run's branch, if that was before. */
  mergedAt(attempt: string, version: number): number | undefined {
    const merge = this.#merges.get(attempt);
    return merge && merge.version <= version ? merge.at : undefined;
  }

  /** Something of it had reached its branch by then. */
  hasResult(version: number): boolean {
    for (const merge of this.#merges.values()) if (merge.version <= version) return true;
    return false;
  }

  /** Into what its result was brought, and by whom; the last time. */
  merged(version: number): MergedFact | undefined {
    return this.#merged.findLast((m) => m.version <= version);
  }

  feedback(version: number): FeedbackFact[] {
    return this.#feedback.filter((f) => f.version <= version);
  }

  picks(version: number): PickFact[] {
    return this.#picks.filter((f) => f.version <= version);
  }

  reassigned(version: number): ReassignFact[] {
    return this.#reassigned.filter((f) => f.version <= version);
  }

  /** As they were then: one that was answered later is open. */
  waits(version: number): WaitFact[] {
    return this.#waits.flatMap((w) => {
      if (w.version > version) return [];
      const { closed, ...wait } = w;
      return [{ ...wait, said: w.said.filter((s) => s.version <= version), ...(closed && closed.version <= version ? { closed } : {}) }];
    });
  }
}

const stepOf = (data: object): string => ("step" in data && typeof data.step === "string" ? data.step : "");

function lastUpTo(versions: readonly number[] | undefined, version: number): number {
  let low = 0;
  let high = versions?.length ?? 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((versions?.[middle] ?? 0) <= version) low = middle + 1;
    else high = middle;
  }
  return versions?.[low - 1] ?? 0;
}
