/** `apply` changes the state it is given, which its caller owns; `fold` makes a new one. */
import type { EventData, Finding, RunEvent } from "./events.ts";
import { currentAttempt, emptyRun, type AttemptState, type RunState, type StepState } from "./state.ts";

/** The part of a recorded event that the fold reads. */
export interface Applied {
  event: RunEvent;
  at: number;
  version: number;
}

export function fold(events: Iterable<Applied>, state: RunState = emptyRun()): RunState {
  for (const e of events) apply(state, e);
  return state;
}

/**
 * Takes one event in. Total: an event that does not fit the state (a late one, one for an unknown step) changes nothing but the
 * version, so any journal folds.
 */
export function apply(state: RunState, { event, at, version }: Applied): RunState {
  state.version = version;
  switch (event.type) {
    case "RunStarted":
      if (state.status === "empty") start(state, event.data, at);
      break;
    case "CancelRequested":
      state.cancel ??= { reason: event.data.reason };
      break;
    case "BudgetExhausted":
      if (event.data.scope === "run") state.halted = { limit: event.data.limit, spent: event.data.spent };
      else withStep(state, event.data.step, (s) => (s.budgetSpent = { limit: event.data.limit, spent: event.data.spent }));
      break;
    case "BudgetRaised":
      if (event.data.scope === "run") {
        delete state.halted;
        state.budget = event.data.limit;
      } else {
        withStep(state, event.data.step, (s) => {
          delete s.budgetSpent;
          state.stepBudgets.set(s.step.path, event.data.limit);
        });
      }
      break;
    case "RunFinished":
      if (state.status === "running") {
        state.status = "finished";
        state.outcome = event.data.outcome;
        if (event.data.because) state.because = event.data.because;
        state.endedAt = at;
      }
      break;
    case "RunMerged":
      state.mergedInto = event.data;
      break;
    case "StepCompleted":
      withStep(state, event.data.step, (s) => endStep(state, s, "completed", at));
      break;
    case "StepFailed":
      withStep(state, event.data.step, (s) => endStep(state, s, "failed", at, event.data.because));
      break;
    case "StepSkipped":
      withStep(state, event.data.step, (s) => endStep(state, s, "skipped", at, event.data.because));
      break;
    case "StepCancelled":
      withStep(state, event.data.step, (s) => endStep(state, s, "cancelled", at));
      break;
    case "AttemptRouted":
      withStep(state, event.data.step, (s) => {
        if (s.status !== "ready") return;
        s.attempts.push({
          id: event.data.attempt,
          step: s.step.path,
          n: event.data.n,
          phase: "queued",
          tier: event.data.tier,
          candidates: event.data.candidates,
          reasons: event.data.reasons,
          routedAt: at,
        });
        s.status = "active";
        state.ready.delete(s.step.path);
        state.queued.add(s.step.path);
      });
      break;
    default:
      withStep(state, event.data.step, (s) => {
        const attempt = currentAttempt(s);
        if (s.status === "active" && attempt?.id === event.data.attempt) applyToAttempt(state, s, attempt, event, at);
      });
  }
  return state;
}

type AttemptEvent = Extract<
  RunEvent,
  {
    type:
      | "AttemptStarted"
      | "AttemptAccepted"
      | "AttemptRejected"
      | "AttemptFailed"
      | "AttemptInterrupted"
      | "MergeIntended"
      | "ResultMerged"
      | "MergeRefused";
  }
>;

function applyToAttempt(state: RunState, s: StepState, a: AttemptState, event: AttemptEvent, at: number): void {
  const path = s.step.path;
  const inFlight = a.phase === "queued" || a.phase === "running";
  switch (event.type) {
    case "AttemptStarted":
      if (a.phase !== "queued" && a.phase !== "running") return;
      a.phase = "running";
      a.agent = event.data.agent;
      a.node = event.data.node;
      a.epoch = event.data.epoch;
      a.queuedMs = event.data.queuedMs;
      if (event.data.from) a.from = event.data.from;
      a.startedAt = at;
      state.queued.delete(path);
      state.running.add(path);
      return;
    case "AttemptAccepted":
      if (!inFlight) return;
      a.phase = "accepted";
      a.endedAt = at;
      a.gates = event.data.gates;
      if (event.data.commit) a.commit = event.data.commit;
      if (event.data.output !== undefined) a.output = event.data.output;
      if (event.data.summary) a.summary = event.data.summary;
      if (event.data.dropped) a.dropped = event.data.dropped;
      if (event.data.usage) a.usage = event.data.usage;
      leaveFlight(state, path);
      state.accepted.add(path);
      return;
    case "AttemptRejected":
      if (!inFlight) return;
      a.phase = "rejected";
      a.findings = event.data.findings;
      a.gates = event.data.gates;
      if (event.data.commit) a.commit = event.data.commit;
      if (event.data.summary) a.summary = event.data.summary;
      if (event.data.usage) a.usage = event.data.usage;
      again(state, s, a, at, event.data.findings, true);
      return;
    case "AttemptFailed": {
      if (!inFlight) return;
      const { kind, message } = event.data;
      a.phase = "failed";
      a.failure = { kind, message };
      if (event.data.usage) a.usage = event.data.usage;
      again(state, s, a, at, [], kind !== "budget");
      const providerWait = kind === "provider" ? 1000 * 2 ** Math.min(s.tries - 1, 6) : 0;
      if (kind !== "budget") s.notBefore = at + Math.max(s.step.retry.backoffMs, providerWait);
      return;
    }
    case "AttemptInterrupted":
      if (!inFlight) return;
      a.phase = "interrupted";
      a.interrupted = { because: event.data.because, evidence: event.data.evidence };
      if (event.data.usage) a.usage = event.data.usage;
      again(state, s, a, at, s.feedback, false);
      return;
    case "MergeIntended":
      if (a.phase !== "accepted" && a.phase !== "merging") return;
      a.phase = "merging";
      a.mergeOnto = event.data.onto;
      a.mergeCommit = event.data.commit;
      return;
    case "ResultMerged":
      if (a.phase !== "accepted" && a.phase !== "merging") return;
      a.phase = "merged";
      a.mergeCommit = event.data.commit;
      state.accepted.delete(path);
      state.merged.add(path);
      return;
    case "MergeRefused":
      if (a.phase !== "accepted" && a.phase !== "merging") return;
      a.phase = "refused";
      a.findings = event.data.findings;
      state.accepted.delete(path);
      s.refusals += 1;
      again(state, s, a, at, event.data.findings, false);
      return;
    default:
      event satisfies never;
  }
}

function leaveFlight(state: RunState, path: string): void {
  state.queued.delete(path);
  state.running.delete(path);
}

/** The attempt is over without a result: the step is ready again; whether another attempt follows, `decide` says. */
function again(state: RunState, s: StepState, a: AttemptState, at: number, feedback: readonly Finding[], counts: boolean): void {
  a.endedAt ??= at;
  leaveFlight(state, s.step.path);
  s.status = "ready";
  s.feedback = feedback;
  s.notBefore = 0;
  if (counts) s.tries += 1;
  state.ready.add(s.step.path);
}

function withStep(state: RunState, path: string | undefined, change: (s: StepState) => void): void {
  const s = path === undefined ? undefined : state.steps.get(path);
  if (s) change(s);
}

const isOver = (s: StepState): boolean =>
  s.status === "completed" || s.status === "failed" || s.status === "skipped" || s.status === "cancelled";

function endStep(
  state: RunState,
  s: StepState,
  status: "completed" | "failed" | "skipped" | "cancelled",
  at: number,
  because?: string,
): void {
  if (isOver(s)) return;
  const path = s.step.path;
  s.status = status;
  s.endedAt = at;
  if (because) s.because = because;
  state.open -= 1;
  for (const index of [state.ready, state.queued, state.running, state.accepted, state.merged, state.doomed]) index.delete(path);
  for (const name of s.dependents) {
    const d = state.steps.get(name);
    if (!d || d.status !== "waiting") continue;
    if (status !== "completed") state.doomed.add(name);
    else if (--d.missing === 0) {
      d.status = "ready";
      state.ready.add(name);
    }
  }
}

function start(state: RunState, data: EventData<"RunStarted">, at: number): void {
  state.runId = data.runId;
  state.status = "running";
  state.pipeline = data.pipeline;
  state.project = data.project;
  state.base = data.base;
  state.branch = data.branch;
  state.agents = data.agents;
  state.source = data.source;
  state.startedAt = at;
  state.budget = data.pipeline.budget;
  for (const step of data.pipeline.steps) {
    state.steps.set(step.path, {
      step,
      status: step.needs.length === 0 ? "ready" : "waiting",
      missing: step.needs.length,
      tries: 0,
      refusals: 0,
      attempts: [],
      feedback: [],
      notBefore: 0,
      rank: 0,
      dependents: [],
    });
    if (step.needs.length === 0) state.ready.add(step.path);
  }
  for (const step of data.pipeline.steps) for (const need of step.needs) state.steps.get(need)?.dependents.push(step.path);
  state.open = state.steps.size;
  rank(state);
}

/** Longest remaining path of every step, by one pass over a reverse topological order. */
function rank(state: RunState): void {
  const order: StepState[] = [];
  const missing = new Map<string, number>();
  for (const s of state.steps.values()) {
    missing.set(s.step.path, s.missing);
    if (s.missing === 0) order.push(s);
  }
  for (let i = 0; i < order.length; i++) {
    for (const name of order[i]?.dependents ?? []) {
      const left = (missing.get(name) ?? 0) - 1;
      missing.set(name, left);
      const d = state.steps.get(name);
      if (left === 0 && d) order.push(d);
    }
  }
  for (const s of order.reverse()) {
    let below = 0;
    for (const name of s.dependents) below = Math.max(below, state.steps.get(name)?.rank ?? 0);
    s.rank = below + 1;
  }
}
