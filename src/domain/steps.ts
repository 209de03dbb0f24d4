import type { Step } from "./pipeline.ts";
import { goOn } from "./lift-pause.ts";
import type { RunState, StepState, StepStatus } from "./state.ts";

/** How steps come into a run, wait for each other, end, and begin again. Parts of the fold. */

export const isOver = (s: StepState): boolean =>
  s.status === "completed" || s.status === "failed" || s.status === "skipped" || s.status === "cancelled";

/** It ended badly, as those see it that wait for a failure. */
const hasFailed = (s: StepState): boolean => s.status === "failed" || s.status === "cancelled" || (s.status === "skipped" && !s.isUnneeded);

/** It ended badly and nobody allowed it to. */
export const countsAsFailure = (s: StepState): boolean =>
  (s.status === "failed" && !s.step.mayFail) || (s.status === "skipped" && !s.isUnneeded);

/** Adds steps that wait for each other and for nothing else. `below` is added to their ranks: what follows all of them. */
export function addSteps(state: RunState, steps: readonly Step[], below: number): void {
  const added: StepState[] = [];
  for (const step of steps) {
    if (state.steps.has(step.path)) continue;
    const s: StepState = {
      step,
      declared: step,
      status: "waiting",
      isResolved: step.if === undefined && !step.dynamic,
      missing: step.needs.length,
      needFailed: false,
      items: 0,
      tries: 0,
      refusals: 0,
      attempts: [],
      feedback: [],
      notBefore: 0,
      rank: 0,
      dependents: [],
    };
    state.steps.set(step.path, s);
    added.push(s);
  }
  for (const s of added) for (const need of s.step.needs) state.steps.get(need)?.dependents.push(s.step.path);
  state.open += added.length;
  rank(state, added, below);
  for (const s of added) if (s.missing === 0) becomeReady(state, s);
}

/** Longest remaining path of every step, by one pass over a reverse topological order. */
function rank(state: RunState, steps: readonly StepState[], below: number): void {
  const order: StepState[] = [];
  const missing = new Map<string, number>();
  for (const s of steps) {
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
    let longest = below;
    for (const name of s.dependents) longest = Math.max(longest, state.steps.get(name)?.rank ?? 0);
    s.rank = longest + 1;
  }
}

/** Its needs are over. */
function becomeReady(state: RunState, s: StepState): void {
  if (s.declared.when === "failed" && s.declared.needs.length > 0 && !s.needFailed) {
    state.doomed.add(s.step.path);
    return;
  }
  s.status = "ready";
  state.ready.add(s.step.path);
}

/** Whether a need that is over lets `d` run. A step with a condition of its own judges a skipped need by that. */
function lets(d: StepState, need: StepState): boolean {
  if (d.declared.when !== undefined) return true;
  if (need.status === "completed" || (need.status === "failed" && need.step.mayFail === true)) return true;
  return need.status === "skipped" && need.isUnneeded === true && d.declared.if !== undefined;
}

export function endStep(
  state: RunState,
  s: StepState,
  status: Extract<StepStatus, "completed" | "failed" | "skipped" | "cancelled">,
  at: number,
  because?: string,
): void {
  if (isOver(s)) return;
  leaveIndexes(state, s);
  if (s.paused !== undefined) goOn(state, s.paused);
  s.status = status;
  s.endedAt = at;
  if (because) s.because = because;
  state.open -= 1;
  for (const name of s.dependents) {
    const d = state.steps.get(name);
    if (d?.status !== "waiting") continue;
    if (hasFailed(s)) d.needFailed = true;
    if (!lets(d, s)) state.doomed.add(name);
    else if (--d.missing === 0 && !state.doomed.has(name)) becomeReady(state, d);
  }
  tellGroup(state, s);
}

function tellGroup(state: RunState, s: StepState): void {
  const parent = s.step.parent === undefined ? undefined : state.steps.get(s.step.parent);
  if (!parent?.group || parent.status !== "active" || !parent.group.children.includes(s.step.path)) return;
  const { group } = parent;
  group.open -= 1;
  if (countsAsFailure(s)) group.failed ??= s.step.path;
  if (group.open === 0) {
    state.concluding.add(parent.step.path);
    state.failing.delete(parent.step.path);
  } else if (group.failed !== undefined && parent.step.kind === "group" && parent.step.body.kind === "each" && parent.step.body.failFast) {
    state.failing.add(parent.step.path);
  }
}

function leaveIndexes(state: RunState, s: StepState): void {
  const path = s.step.path;
  for (const index of [
    state.ready,
    state.queued,
    state.running,
    state.accepted,
    state.merged,
    state.doomed,
    state.asking,
    state.concluding,
    state.failing,
    state.bestOf,
  ])
    index.delete(path);
  if (s.item !== undefined) {
    state.inbox.delete(s.item);
    delete s.item;
  }
}

/** A step that is over, or waits for people, is to be done once more. Those that wait for it wait again. */
export function reopen(state: RunState, s: StepState): void {
  if (isOver(s)) {
    state.open += 1;
    const parent = s.step.parent === undefined ? undefined : state.steps.get(s.step.parent);
    if (parent?.group?.children.includes(s.step.path)) {
      parent.group.open += 1;
      state.concluding.delete(parent.step.path);
      if (parent.group.failed === s.step.path) delete parent.group.failed;
    }
  }
  leaveIndexes(state, s);
  s.step = s.declared;
  s.isResolved = s.step.if === undefined && !s.step.dynamic;
  s.tries = 0;
  s.refusals = 0;
  s.notBefore = 0;
  delete s.endedAt;
  delete s.because;
  delete s.output;
  delete s.isUnneeded;
  // What it is built on may be another thing by then.
  delete s.session;
  delete s.above;
  delete s.budgetSpent;
  waitAgain(state, s);
  for (const name of s.dependents) {
    const d = state.steps.get(name);
    if (d && (d.status === "waiting" || d.status === "ready")) waitAgain(state, d);
  }
}

/** Looks at its needs as they stand now. */
function waitAgain(state: RunState, s: StepState): void {
  state.ready.delete(s.step.path);
  state.doomed.delete(s.step.path);
  s.status = "waiting";
  s.missing = 0;
  s.needFailed = false;
  for (const name of s.declared.needs) {
    const need = state.steps.get(name);
    if (!need) continue;
    if (!isOver(need)) s.missing += 1;
    else if (!lets(s, need)) state.doomed.add(s.step.path);
    if (isOver(need) && hasFailed(need)) s.needFailed = true;
  }
  if (s.missing === 0 && !state.doomed.has(s.step.path)) becomeReady(state, s);
}
