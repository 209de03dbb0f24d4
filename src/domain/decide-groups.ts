import { record, stepOf, withAttempt, type Decision } from "./decision.ts";
import { isHeld } from "./held.ts";
import { formatUsd } from "./money.ts";
import type { RunState, StepState } from "./state.ts";
import { isOver } from "./steps.ts";

/** Whether its group may have one more child at a time. `begun`: children let go in this decision, by group. */
export function hasRoom(state: RunState, s: StepState, begun = new Map<string, number>()): boolean {
  const parent = s.step.parent === undefined ? undefined : state.steps.get(s.step.parent);
  if (!parent?.group || parent.step.kind !== "group" || parent.step.body.kind !== "each") return true;
  const { parallel } = parent.step.body;
  if (parallel === undefined) return true;
  const path = parent.step.path;
  let active = begun.get(path) ?? 0;
  for (const child of parent.group.children) if (state.steps.get(child)?.status === "active") active += 1;
  if (active >= parallel) return false;
  begun.set(path, (begun.get(path) ?? 0) + 1);
  return true;
}

/** A group around it stops what is left of its children. */
export function isStopping(state: RunState, s: StepState): boolean {
  if (state.failing.size === 0) return false;
  for (let parent = s.step.parent; parent !== undefined; parent = state.steps.get(parent)?.step.parent)
    if (state.failing.has(parent)) return true;
  return false;
}

/** Stops what is left of the children of groups one of whose children has failed, or whose budget is spent. */
export function stopFailing(state: RunState, out: Decision[], paths: Iterable<string> = state.failing): void {
  for (const path of paths) {
    const { group, budgetSpent } = stepOf(state, path);
    if (group) stopChildren(state, group.children, budgetSpent ? `the budget of ${path} is spent` : `${group.failed} failed`, out);
  }
}

function stopChildren(state: RunState, children: readonly string[], because: string, out: Decision[]): void {
  for (const path of children) {
    const s = stepOf(state, path);
    if (isOver(s)) continue;
    if (s.group && s.status === "active") {
      stopChildren(state, s.group.children, because, out);
      if (state.concluding.has(path)) out.push(record("StepCancelled", { step: path }));
    } else if (state.queued.has(path)) withAttempt(state, path, (attempt) => out.push({ kind: "withdraw", step: path, attempt, because }));
    else if (state.running.has(path)) withAttempt(state, path, (attempt) => out.push({ kind: "stop", step: path, attempt, because }));
    else if ((!state.accepted.has(path) || isHeld(state, s)) && !state.merged.has(path) && !state.doomed.has(path))
      out.push(record("StepCancelled", { step: path }));
  }
}

/** Groups whose children are all over. */
export function concludeGroups(state: RunState, out: Decision[], paths: Iterable<string> = state.concluding): void {
  for (const path of paths) {
    const { group, budgetSpent } = stepOf(state, path);
    if (!group || group.open > 0) continue;
    if (budgetSpent) {
      const { limit, spent } = budgetSpent;
      out.push(record("StepFailed", { step: path, because: `its budget of ${formatUsd(limit)} is spent (${formatUsd(spent)} so far)` }));
      continue;
    }
    const lost = noCandidate(state, path);
    if (lost) {
      out.push(lost);
      continue;
    }
    const failed = group.failed === undefined ? undefined : state.steps.get(group.failed);
    if (!failed) out.push({ kind: "conclude", step: path });
    else
      out.push(
        record("StepFailed", {
          step: path,
          because: `${failed.step.path} ${failed.status === "skipped" ? "was skipped" : "failed"}${failed.because ? `: ${failed.because}` : ""}`,
          ...(failed.feedback.length > 0 && failed.status === "failed" ? { findings: [...failed.feedback] } : {}),
        }),
      );
  }
}

/** A best-of step of which nothing was merged has failed, by what its candidates say. */
function noCandidate(state: RunState, path: string): Decision | undefined {
  const { step, group } = stepOf(state, path);
  if (!group || step.kind !== "group" || step.body.kind !== "best-of") return undefined;
  const children = group.children.map((child) => stepOf(state, child));
  if (children.some((c) => c.status === "completed")) return undefined;
  const reasons = children.map((c) => `${c.step.path}: ${c.because ?? `it was ${c.status}`}`);
  const findings = children.flatMap((c) => c.feedback);
  return record("StepFailed", {
    step: path,
    because: `no candidate was accepted and merged. ${reasons.join("; ")}`,
    ...(findings.length > 0 ? { findings } : {}),
  });
}
