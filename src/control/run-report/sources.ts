import { parseAttemptId, type Recorded } from "../../domain/index.ts";

/** Which event tells what: versions by what they are about. Of several the last, which is what counts. */
export class Sources {
  readonly #by = new Map<string, number>();

  constructor(events: readonly Recorded[]) {
    for (const { event, version } of events) {
      const keep = (key: string): void => void this.#by.set(key, version);
      switch (event.type) {
        case "RunStarted":
        case "BudgetRaised":
          if (event.type === "RunStarted" || event.data.scope === "run") keep("budget");
          break;
        case "AttemptRouted":
          keep(`routed ${event.data.attempt}`);
          break;
        case "AttemptStarted":
          keep(`started ${event.data.attempt}`);
          break;
        case "AttemptAccepted":
        case "AttemptRejected":
        case "AttemptFailed":
        case "AttemptInterrupted":
          // A late one, of an attempt that is over, tells nothing.
          if (!this.#by.has(`ended ${event.data.attempt}`)) keep(`ended ${event.data.attempt}`);
          break;
        case "MergeRefused":
          keep(`unmerged ${event.data.attempt}`);
          break;
        case "ResultMerged":
          keep(`merged ${event.data.attempt}`);
          break;
        case "StepCompleted":
        case "StepFailed":
        case "StepSkipped":
        case "StepCancelled":
          keep(`step ${event.data.step}`);
          break;
        case "InboxOpened":
          keep(`item ${event.data.item}`);
          break;
        case "RunFinished":
          keep("finished");
          break;
        case "RunMerged":
          keep("run merged");
          break;
        default:
          break;
      }
    }
  }

  routed = (attempt: string): number | undefined => this.#by.get(`routed ${attempt}`);
  started = (attempt: string): number | undefined => this.#by.get(`started ${attempt}`);
  ended = (attempt: string): number | undefined => this.#by.get(`ended ${attempt}`);
  unmerged = (attempt: string): number | undefined => this.#by.get(`unmerged ${attempt}`);
  merged = (attempt: string): number | undefined => this.#by.get(`merged ${attempt}`);
  endOf = (step: string): number | undefined => this.#by.get(`step ${step}`);
  itemOpened = (item: string): number | undefined => this.#by.get(`item ${item}`);
  stepOf = (attempt: string): string | undefined => parseAttemptId(attempt)?.stepPath;

  get budget(): number | undefined {
    return this.#by.get("budget");
  }

  get finished(): number | undefined {
    return this.#by.get("finished");
  }

  get runMerged(): number | undefined {
    return this.#by.get("run merged");
  }
}
