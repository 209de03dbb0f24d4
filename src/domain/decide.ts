import type { AttemptId } from "./ids.ts";
import type { Finding, RunEvent } from "./events.ts";
import { formatUsd } from "./money.ts";
import { touchesOverlap } from "./overlap.ts";
import { currentAttempt, nextAttempt, type RunState, type StepState } from "./state.ts";

/**
 * What should happen now. `record` is a decision that is an event and nothing else; the others name an effect that should be under
 * way, again at every call until the journal shows that it happened: the engine starts it unless it is under way already. So a
 * decision lost in a crash is simply made again.
 */
export type Decision =
  | { kind: "record"; event: RunEvent }
  /** Find agents for the attempt, record AttemptRouted, queue it. */
  | { kind: "route"; step: string; attempt: AttemptId; n: number; rank: number; feedback: readonly Finding[] }
  /** Bring accepted work into the run's branch. */
  | { kind: "merge"; step: string; attempt: AttemptId; commit: string }
  /** End a running attempt. */
  | { kind: "stop"; step: string; attempt: AttemptId; because: string }
  /** Take an attempt nobody has started out of the queue. */
  | { kind: "withdraw"; step: string; attempt: AttemptId; because: string }
  /** Decide again at this time, epoch ms. */
  | { kind: "wake"; at: number }
  /** Nothing more can start until somebody answers. Everything in flight is over. */
  | { kind: "halt"; because: "budget"; limit: number; spent: number };

/** Pure: `now` is epoch milliseconds. An empty or finished run asks for nothing. */
export function decide(state: RunState, now: number): Decision[] {
  if (state.status !== "running") return [];
  const out: Decision[] = [];
  if (state.cancel) {
    cancelled(state, out);
  } else {
    settle(state, out);
    for (const path of state.doomed) out.push(record("StepSkipped", { step: path, because: whyDoomed(state, path) }));
    route(state, now, out);
  }
  if (state.open === 0) out.push(finish(state));
  return out;
}

function record<T extends RunEvent["type"]>(type: T, data: Extract<RunEvent, { type: T }>["data"]): Decision {
  return { kind: "record", event: { type, data } as RunEvent };
}

/** Accepted work: merged when it changed something, completed when it did not or when it is merged. */
function settle(state: RunState, out: Decision[]): void {
  for (const path of state.accepted) {
    const attempt = currentAttempt(stepOf(state, path));
    if (!attempt) continue;
    if (attempt.commit) out.push({ kind: "merge", step: path, attempt: attempt.id, commit: attempt.commit });
    else out.push(record("StepCompleted", { step: path, attempt: attempt.id }));
  }
  for (const path of state.merged) {
    const attempt = currentAttempt(stepOf(state, path));
    if (attempt) out.push(record("StepCompleted", { step: path, attempt: attempt.id }));
  }
}

function route(state: RunState, now: number, out: Decision[]): void {
  if (state.ready.size === 0 && !state.halted) return;
  // A step that declares what it touches waits for those in flight that touch the same.
  const busy: StepState[] = [];
  const mayStart: StepState[] = [];
  for (const path of state.ready) {
    const s = stepOf(state, path);
    const over = exhausted(s);
    if (over) out.push(record("StepFailed", over));
    else if (!state.halted) mayStart.push(s);
  }
  if (state.halted) {
    // What nobody has started yet would only find the budget spent.
    for (const path of state.queued)
      withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because: "the run's budget is spent" }));
    if (state.queued.size + state.running.size + state.accepted.size + state.merged.size === 0 && out.length === 0)
      out.push({ kind: "halt", because: "budget", ...state.halted });
    return;
  }
  if (mayStart.some((s) => s.step.touches.length > 0)) {
    for (const index of [state.queued, state.running, state.accepted, state.merged])
      for (const path of index) {
        const s = stepOf(state, path);
        if (s.step.touches.length > 0 && !s.step.readonly) busy.push(s);
      }
  }
  if (mayStart.length > 1) mayStart.sort((a, b) => b.step.priority - a.step.priority || b.rank - a.rank);
  let wakeAt = Infinity;
  for (const s of mayStart) {
    if (s.notBefore > now) {
      wakeAt = Math.min(wakeAt, s.notBefore);
      continue;
    }
    const writes = s.step.touches.length > 0 && !s.step.readonly;
    if (writes && busy.some((b) => touchesOverlap(b.step.touches, s.step.touches))) continue;
    if (writes) busy.push(s);
    const { id, n } = nextAttempt(state.runId, s);
    out.push({ kind: "route", step: s.step.path, attempt: id, n, rank: s.rank, feedback: s.feedback });
  }
  if (wakeAt < Infinity) out.push({ kind: "wake", at: wakeAt });
}

/** Work that does not merge is done again on the files as they are then, so often at most. */
const MOST_REFUSALS = 3;

/** Why a ready step gets no further attempt, if so. */
function exhausted(s: StepState): { step: string; because: string; findings?: Finding[] } | undefined {
  const step = s.step.path;
  if (s.budgetSpent)
    return { step, because: `its budget of ${formatUsd(s.budgetSpent.limit)} is spent (${formatUsd(s.budgetSpent.spent)} so far)` };
  if (s.refusals >= MOST_REFUSALS)
    return {
      step,
      because: `its work was accepted ${s.refusals} times and refused each time it was to be merged`,
      findings: [...s.feedback],
    };
  if (s.tries < s.step.retry.attempts) return undefined;
  const last = s.attempts.findLast((a) => a.phase !== "interrupted");
  const gates = [...new Set(s.feedback.map((f) => f.gate))].join(", ");
  const isOnly = s.tries === 1;
  if (last?.failure)
    return {
      step,
      because: `${isOnly ? "its only attempt failed:" : `all ${s.tries} attempts failed; the last:`} ${last.failure.message}`,
    };
  return {
    step,
    because: isOnly ? `its only attempt was refused by ${gates}` : `all ${s.tries} attempts were refused; the last by ${gates}`,
    findings: [...s.feedback],
  };
}

/** Ends everything: what nobody started is withdrawn, what runs is stopped, what is being merged is let through. */
function cancelled(state: RunState, out: Decision[]): void {
  settle(state, out);
  const because = state.cancel?.reason ?? "the run was cancelled";
  for (const path of state.queued) withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because }));
  for (const path of state.running) withAttempt(state, path, (attempt) => out.push({ kind: "stop", step: path, attempt, because }));
  for (const s of state.steps.values()) {
    if (s.status === "waiting" || s.status === "ready") out.push(record("StepCancelled", { step: s.step.path }));
  }
}

function finish(state: RunState): Decision {
  let failed = 0;
  let cancelledSteps = 0;
  for (const s of state.steps.values()) {
    if (s.status === "failed" || s.status === "skipped") failed += 1;
    if (s.status === "cancelled") cancelledSteps += 1;
  }
  if (cancelledSteps > 0) return record("RunFinished", { outcome: "cancelled", because: state.cancel?.reason });
  return record("RunFinished", { outcome: failed > 0 ? "failed" : "succeeded" });
}

function whyDoomed(state: RunState, path: string): string {
  for (const need of stepOf(state, path).step.needs) {
    const s = state.steps.get(need);
    if (s && (s.status === "failed" || s.status === "skipped" || s.status === "cancelled"))
      return `${need} ${s.status === "failed" ? "failed" : `was ${s.status}`}`;
  }
  return "a step it needs did not complete";
}

function withAttempt(state: RunState, path: string, use: (attempt: AttemptId) => void): void {
  const attempt = currentAttempt(stepOf(state, path));
  if (attempt) use(attempt.id);
}

function stepOf(state: RunState, path: string): StepState {
  const s = state.steps.get(path);
  if (!s) throw new Error(`step ${path} is in an index and not in the run`);
  return s;
}
