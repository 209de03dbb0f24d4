import type { Finding } from "./events.ts";
import { formatUsd } from "./money.ts";
import { budgetName } from "./budget-pauses.ts";
import { askForBudgets, withdrawPaused } from "./decide-budgets.ts";
import { pickBetween } from "./decide-best-of.ts";
import { concludeGroups, hasRoom, isStopping, stopFailing } from "./decide-groups.ts";
import { hearPeople, openItem } from "./decide-people.ts";
import { record, stepOf, withAttempt, type Decision } from "./decision.ts";
import { isHeld } from "./held.ts";
import { isPaused } from "./lift-pause.ts";
import { touchesOverlap } from "./overlap.ts";
import { currentAttempt, nextAttempt, type RunState, type StepState } from "./state.ts";
import { countsAsFailure } from "./steps.ts";

/** Pure: `now` is epoch milliseconds. An empty or finished run asks for nothing. */
export function decide(state: RunState, now: number): Decision[] {
  if (state.status !== "running") return [];
  const out: Decision[] = [];
  if (state.cancel) {
    cancelled(state, now, out);
  } else {
    settle(state, out);
    for (const path of state.doomed) out.push(record("StepSkipped", { step: path, ...whyDoomed(state, path) }));
    if (state.failing.size > 0) stopFailing(state, out);
    if (state.reassigned.size > 0) endReassigned(state, out);
    if (state.bestOf.size > 0) pickBetween(state, out);
    if (state.concluding.size > 0) concludeGroups(state, out);
    const renewAt = state.pauses.size > 0 ? askForBudgets(state, now, out) : Infinity;
    if (state.pauses.size > 0) withdrawPaused(state, out);
    const askAt = state.asking.size > 0 ? hearPeople(state, now, out) : Infinity;
    const startAt = route(state, now, out);
    const wakeAt = Math.min(renewAt, askAt, startAt);
    if (wakeAt < Infinity) out.push({ kind: "wake", at: wakeAt });
    if (isAtRest(state) && out.every(({ kind }) => kind === "wake")) halt(state, startAt, out);
  }
  if (state.open === 0) out.push(finish(state));
  return out;
}

/** Nothing is in flight. What only waits to be picked, or not, is not. */
const isAtRest = (state: RunState): boolean =>
  state.queued.size + state.running.size + state.merged.size === 0 &&
  [...state.accepted].every((path) => isHeld(state, stepOf(state, path)));

/** Accepted work: merged when it changed something, completed when it did not or when it is merged. */
function settle(state: RunState, out: Decision[]): void {
  for (const path of state.accepted) {
    const s = stepOf(state, path);
    const attempt = currentAttempt(s);
    if (!attempt || isHeld(state, s)) continue;
    if (attempt.commit) out.push({ kind: "merge", step: path, attempt: attempt.id, commit: attempt.commit });
    else out.push(record("StepCompleted", { step: path, attempt: attempt.id }));
  }
  for (const path of state.merged) {
    const attempt = currentAttempt(stepOf(state, path));
    if (attempt) out.push(record("StepCompleted", { step: path, attempt: attempt.id }));
  }
}

/** What is given to another agent: what nobody has started is withdrawn, what runs is stopped. */
function endReassigned(state: RunState, out: Decision[]): void {
  for (const step of state.reassigned) {
    const a = currentAttempt(stepOf(state, step));
    if (a?.reassigned) out.push({ kind: a.phase === "queued" ? "withdraw" : "stop", step, attempt: a.id, because: a.reassigned });
  }
}

/** Answers when a step that waits for a time may start, epoch ms. */
function route(state: RunState, now: number, out: Decision[]): number {
  if (state.halted) halted(state, out);
  else if (state.ready.size > 0) return startReady(state, now, out, state.ready);
  return Infinity;
}

/** Nothing is in flight and nothing starts by itself now. */
function halt(state: RunState, startAt: number, out: Decision[]): void {
  const [paused] = state.halted ? [state.halted] : state.pauses.values();
  if (paused && (state.halted || (state.asking.size === 0 && startAt === Infinity)))
    out.push({ kind: "halt", because: "budget", id: paused.id, limit: paused.limit, spent: paused.spent });
  // A step that waits for its time, for a quota perhaps, goes on without people.
  else if (state.asking.size > 0 && startAt === Infinity) out.push({ kind: "halt", because: "people", items: [...state.inbox.keys()] });
}

/** A budget of all of the run is spent: what nobody has started yet would only find that out. */
function halted(state: RunState, out: Decision[]): void {
  for (const path of state.ready) {
    const over = exhausted(stepOf(state, path));
    if (over) out.push(record("StepFailed", over));
  }
  const because = `${budgetName(state.halted?.id ?? "")} is spent`;
  for (const path of state.queued) withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because }));
}

/** Answers when to look again, epoch ms; Infinity when nothing waits for a time. */
function startReady(state: RunState, now: number, out: Decision[], ready: Iterable<string>): number {
  const mayStart: StepState[] = [];
  for (const path of ready) {
    const s = stepOf(state, path);
    if (isStopping(state, s) || isPaused(state, s)) continue;
    if (s.budgetSpent || s.refusals > 0 || s.tries > 0) {
      const over = exhausted(s);
      if (over) {
        out.push(record("StepFailed", over));
        continue;
      }
    }
    if (!s.isResolved) out.push({ kind: "resolve", step: path });
    else if (s.step.kind === "group") {
      if (hasRoom(state, s)) out.push({ kind: "expand", step: path, round: 1 });
    } else if (s.step.kind === "approve" || s.step.kind === "ask") out.push(openItem(state, s, now));
    else mayStart.push(s);
  }
  // A step that declares what it touches waits for those in flight that touch the same.
  const busy: StepState[] = [];
  if (mayStart.some((s) => s.step.touches.length > 0)) {
    for (const index of [state.queued, state.running, state.accepted, state.merged])
      for (const path of index) {
        const s = stepOf(state, path);
        // Work that waits to be picked is in nobody's way: it is judged again where it is merged.
        if (s.step.touches.length > 0 && !s.step.readonly && !(index === state.accepted && isHeld(state, s))) busy.push(s);
      }
  }
  if (mayStart.length > 1) mayStart.sort((a, b) => b.step.priority - a.step.priority || b.rank - a.rank);
  let wakeAt = Infinity;
  const begun = new Map<string, number>();
  for (const s of mayStart) {
    if (s.notBefore > now) {
      wakeAt = Math.min(wakeAt, s.notBefore);
      continue;
    }
    const writes = s.step.touches.length > 0 && !s.step.readonly;
    if (writes && busy.some((b) => !areCandidates(b, s) && touchesOverlap(b.step.touches, s.step.touches))) continue;
    if (s.step.parent !== undefined && !hasRoom(state, s, begun)) continue;
    if (writes) busy.push(s);
    const { id, n } = nextAttempt(state.runId, s);
    out.push({ kind: "route", step: s.step.path, attempt: id, n, rank: s.rank, feedback: s.feedback });
  }
  return wakeAt;
}

/** Of one best-of step: only one of them is merged. */
const areCandidates = (a: StepState, b: StepState): boolean =>
  a.step.hold === true && b.step.hold === true && a.step.parent === b.step.parent;

const spentText = ({ limit, spent, by }: NonNullable<StepState["budgetSpent"]>): string =>
  `its budget of ${formatUsd(limit)} is spent (${formatUsd(spent)} so far)${by === undefined ? "" : `, and ${by} said stop`}`;

/** Work that does not merge is done again on the files as they are then, so often at most. */
const MOST_REFUSALS = 3;

/** Why a ready step gets no further attempt, if so. */
function exhausted(s: StepState): { step: string; because: string; findings?: Finding[] } | undefined {
  const step = s.step.path;
  if (s.budgetSpent) return { step, because: spentText(s.budgetSpent) };
  // Another candidate may do better than a second try.
  if (s.step.hold && s.refusals > 0)
    return { step, because: "its work was picked, and refused when it was to be merged", findings: [...s.feedback] };
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

/** Ends everything but steps that run whatever happens: what nobody started is withdrawn, what runs is stopped, what is being merged is let through. */
function cancelled(state: RunState, now: number, out: Decision[]): void {
  settle(state, out);
  const because = state.cancel?.reason ?? "the run was cancelled";
  const goesOn = (path: string): boolean => alwaysRuns(state, stepOf(state, path));
  for (const path of state.queued)
    if (!goesOn(path)) withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because }));
  for (const path of state.running)
    if (!goesOn(path)) withAttempt(state, path, (attempt) => out.push({ kind: "stop", step: path, attempt, because }));
  const last: string[] = [];
  for (const s of state.steps.values()) {
    const path = s.step.path;
    if (alwaysRuns(state, s) && !isPaused(state, s)) {
      if (s.status === "ready") last.push(path);
    } else if (
      s.status === "waiting" ||
      s.status === "ready" ||
      state.asking.has(path) ||
      state.concluding.has(path) ||
      (state.accepted.has(path) && isHeld(state, s))
    ) {
      out.push(record("StepCancelled", { step: path }));
    }
  }
  for (const path of state.doomed) if (goesOn(path)) out.push(record("StepSkipped", { step: path, ...whyDoomed(state, path) }));
  stopFailing(state, out, [...state.failing].filter(goesOn));
  pickBetween(state, out, [...state.bestOf].filter(goesOn));
  concludeGroups(state, out, [...state.concluding].filter(goesOn));
  if (state.halted) for (const path of last) out.push(record("StepCancelled", { step: path }));
  else {
    const wakeAt = startReady(state, now, out, last);
    if (wakeAt < Infinity) out.push({ kind: "wake", at: wakeAt });
  }
}

/** It, or a group around it, runs whatever happens. People are not waited for in a run that was cancelled. */
function alwaysRuns(state: RunState, s: StepState): boolean {
  if (state.cancel?.refused || s.step.kind === "approve" || s.step.kind === "ask") return false;
  for (let at: StepState | undefined = s; at; at = at.step.parent === undefined ? undefined : state.steps.get(at.step.parent))
    if (at.declared.when === "always") return true;
  return false;
}

function finish(state: RunState): Decision {
  let failed = 0;
  let cancelledSteps = 0;
  for (const s of state.steps.values()) {
    // A group answers for its children.
    if (s.step.parent !== undefined) continue;
    if (countsAsFailure(s)) failed += 1;
    if (s.status === "cancelled") cancelledSteps += 1;
  }
  if (cancelledSteps > 0) return record("RunFinished", { outcome: "cancelled", because: state.cancel?.reason });
  return record("RunFinished", { outcome: failed > 0 ? "failed" : "succeeded" });
}

function whyDoomed(state: RunState, path: string): { because: string; condition?: true } {
  const { declared } = stepOf(state, path);
  if (declared.when === "failed") return { because: "nothing it waits for has failed", condition: true };
  let because: string | undefined;
  for (const need of declared.needs) {
    const s = state.steps.get(need);
    if (!s) continue;
    if (s.status === "failed" ? !s.step.mayFail : s.status === "cancelled" || (s.status === "skipped" && !s.isUnneeded))
      return { because: `${need} ${s.status === "failed" ? "failed" : `was ${s.status}`}` };
    if (s.status === "skipped") because ??= `${need} was skipped`;
  }
  return because === undefined ? { because: "a step it needs did not complete" } : { because, condition: true };
}
