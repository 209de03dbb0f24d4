import type { RunSummary } from "../data/index.ts";

/** Nothing more happens to it by itself. */
export const isOver = ({ status }: Pick<RunSummary, "status">): boolean =>
  status === "succeeded" || status === "failed" || status === "cancelled";

/** What tells it from others of its pipeline; commands take it, too. */
export const shortId = ({ runId }: Pick<RunSummary, "runId">): string => runId.slice(-6);

/** It waits for people alone: for an answer, or for its budget to be raised. */
export const isWaiting = ({ status, queue }: Pick<RunSummary, "status" | "queue">): boolean =>
  status === "waiting" || (status === "budget" && (queue === undefined || queue.running + queue.queued === 0));

/**
 * How long a run did nothing but wait for people, ms. `readAt`: when the server said so; one that waits for them alone waits on, and nothing happens
 * that would have it read again.
 */
export const waitedForPeople = (run: Pick<RunSummary, "status" | "queue" | "waitedForPeopleMs">, readAt: number, now: number): number =>
  run.waitedForPeopleMs + (isWaiting(run) ? Math.max(0, now - readAt) : 0);
