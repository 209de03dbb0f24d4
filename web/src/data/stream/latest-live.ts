import type { Recorded } from "../../../../src/domain/index.ts";
import { runIdOf, type LiveItem } from "./messages.ts";

/** Attempts that are told of at most: beyond, the longest silent one is forgotten. It only keeps what a new tab would have to wait for. */
const MOST = 2_000;

/** How each running attempt was last said to be: the stream says it when it changes, and a tab that is opened later would not know. */
export class LatestLive {
  readonly #byAttempt = new Map<string, Map<LiveItem["type"], LiveItem>>();

  heard(item: LiveItem): void {
    const known = this.#byAttempt.get(item.attempt) ?? new Map<LiveItem["type"], LiveItem>();
    known.set(item.type, item);
    // Last in the map's order: the first is the one that was silent longest.
    this.#byAttempt.delete(item.attempt);
    this.#byAttempt.set(item.attempt, known);
    const [oldest] = this.#byAttempt.keys();
    if (this.#byAttempt.size > MOST && oldest !== undefined) this.#byAttempt.delete(oldest);
  }

  /** What is over is no longer how anything is. */
  happened({ stream, event }: Recorded): void {
    const runId = runIdOf(stream);
    if (event.type === "RunFinished") {
      for (const attempt of this.#byAttempt.keys()) if (attempt.startsWith(`${runId ?? ""}/`)) this.#byAttempt.delete(attempt);
    } else if (/^Attempt(Accepted|Rejected|Failed|Interrupted)$/.test(event.type) && "attempt" in event.data)
      this.#byAttempt.delete(String(event.data.attempt));
  }

  /** The server says all of it anew. */
  clear(): void {
    this.#byAttempt.clear();
  }

  items(): LiveItem[] {
    return [...this.#byAttempt.values()].flatMap((of) => [...of.values()]);
  }
}
