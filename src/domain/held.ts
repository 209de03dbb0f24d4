import { currentAttempt, type RunState, type StepState } from "./state.ts";
import { isOver } from "./steps.ts";

/** Candidates of a best-of step: their accepted work is not merged before the group has picked one. Parts of the fold. */

/** The best-of group that it is a candidate of. */
function groupOf(state: RunState, s: StepState): StepState | undefined {
  if (!s.step.hold || s.step.parent === undefined) return undefined;
  const parent = state.steps.get(s.step.parent);
  return parent?.group && parent.step.kind === "group" && parent.step.body.kind === "best-of" ? parent : undefined;
}

/** What is accepted of it is not merged: nobody has picked it. */
export function isHeld(state: RunState, s: StepState): boolean {
  const group = groupOf(state, s);
  return group !== undefined && !isOver(group) && group.group?.picked !== currentAttempt(s)?.id;
}

/** Its candidates with accepted work, once all others are over; before that, and when one is picked: `undefined`. */
export function readyToPick(state: RunState, group: StepState): StepState[] | undefined {
  if (!group.group || group.group.picked !== undefined) return undefined;
  const open = group.group.children.flatMap((path) => state.steps.get(path) ?? []).filter((s) => !isOver(s));
  return open.length > 0 && open.every((s) => state.accepted.has(s.step.path)) ? open : undefined;
}

export function pickCandidate(state: RunState, group: StepState, { attempt, because }: { attempt: string; because: string }): void {
  const winner = readyToPick(state, group)?.find((s) => currentAttempt(s)?.id === attempt);
  if (!winner || !group.group) return;
  group.group.picked = attempt;
  group.group.picks = (group.group.picks ?? 0) + 1;
  group.because = `${winner.step.path} is picked: ${because}`;
}

/** The merge queue refused the work that was picked: the group is to pick again. */
export function unpick(state: RunState, s: StepState, attempt: string): void {
  const group = groupOf(state, s);
  if (group?.group?.picked !== attempt) return;
  delete group.group.picked;
  delete group.because;
}
