import { currentAttempt, isPaused, quotaWait, stillWaits, type RunState, type StepState } from "../../../../src/domain/index.ts";

/** How a step stands, for eyes: finer than the fold's own status, since "active" says little. */
export type ShownStatus =
  | "waiting" // for its needs
  | "ready"
  | "queued" // for a slot
  | "running"
  | "merging" // accepted, not yet in the run's branch
  | "people" // it waits for an answer
  | "quota" // its provider's limit is met
  | "paused" // a budget is spent
  | "completed"
  | "failed"
  | "skipped" // it could not run
  | "unneeded" // its condition did not hold
  | "cancelled";

/** What the lists and legends say. */
export const statusText: Readonly<Record<ShownStatus, string>> = {
  waiting: "waiting",
  ready: "ready",
  queued: "queued",
  running: "running",
  merging: "merging",
  people: "waits for people",
  quota: "waits for quota",
  paused: "budget is spent",
  completed: "completed",
  failed: "failed",
  skipped: "skipped",
  unneeded: "not needed",
  cancelled: "cancelled",
};

export function shownStatus(state: RunState, s: StepState, asked: ReadonlySet<string>): ShownStatus {
  switch (s.status) {
    case "completed":
    case "failed":
    case "cancelled":
      return s.status;
    case "skipped":
      return s.isUnneeded ? "unneeded" : "skipped";
    case "waiting":
      return "waiting";
    case "ready":
    case "active":
      break;
    default:
      return s.status satisfies never;
  }
  if (asked.has(s.step.path)) return "people";
  if (isPaused(state, s)) return "paused";
  if (s.status === "ready") return quotaWait(s) ? "quota" : "ready";
  if (s.group) return s.group.open === 0 ? "merging" : "running";
  switch (currentAttempt(s)?.phase) {
    case "queued":
      return "queued";
    case "accepted":
    case "merging":
    case "merged":
      return "merging";
    case "running":
    case "rejected":
    case "failed":
    case "interrupted":
    case "refused":
    case undefined:
      return "running";
    default:
      return "running";
  }
}

/** Steps that wait for people: approvals and questions, and running attempts that ask for something. */
export function askedSteps(state: RunState): Set<string> {
  const asked = new Set<string>();
  for (const item of state.inbox.values()) if (stillWaits(item)) asked.add(item.step);
  return asked;
}

/** The first in a list is what a person must see first: what failed, then what waits for them, then what goes on. */
const urgency: Readonly<Record<ShownStatus, number>> = {
  failed: 0,
  people: 1,
  paused: 2,
  quota: 3,
  running: 4,
  merging: 5,
  queued: 6,
  ready: 7,
  waiting: 8,
  completed: 9,
  skipped: 10,
  unneeded: 11,
  cancelled: 12,
};

export const byUrgency = (a: { status: ShownStatus }, b: { status: ShownStatus }): number => urgency[a.status] - urgency[b.status];
