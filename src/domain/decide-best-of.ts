import { isStopping } from "./decide-groups.ts";
import { record, stepOf, type Decision } from "./decision.ts";
import { readyToPick } from "./held.ts";
import { attemptId } from "./ids.ts";
import { isPaused } from "./lift-pause.ts";
import { currentAttempt, type RunState, type StepState } from "./state.ts";
import { isOver } from "./steps.ts";

/** Best-of steps: one of the candidates that were accepted is picked, and merged like any other work; then the others are over. */
export function pickBetween(state: RunState, out: Decision[], paths: Iterable<string> = state.bestOf): void {
  for (const path of paths) {
    const s = stepOf(state, path);
    if (!s.group || state.failing.has(path) || isStopping(state, s)) continue;
    if (s.group.picked !== undefined) endOthers(state, s, s.group, out);
    const [first, ...others] = readyToPick(state, s) ?? [];
    const attempt = first && currentAttempt(first);
    if (!attempt) continue;
    if (others.length === 0) {
      const because = s.group.children.length === 1 ? "there is no other candidate" : "no other candidate was accepted";
      out.push(record("CandidatePicked", { step: path, attempt: attempt.id, because }));
    } else if (!isPaused(state, s)) {
      const candidates = [first, ...others].flatMap((c) => currentAttempt(c)?.id ?? []);
      out.push({ kind: "pick", step: path, attempt: attemptId(state.runId, path, (s.group.picks ?? 0) + 1), candidates });
    }
  }
}

function endOthers(state: RunState, s: StepState, { children, picked }: NonNullable<StepState["group"]>, out: Decision[]): void {
  const all = children.map((path) => stepOf(state, path));
  const winner = all.find((c) => currentAttempt(c)?.id === picked);
  if (!winner || !isOver(winner)) return;
  for (const c of all)
    if (!isOver(c)) out.push(record("StepSkipped", { step: c.step.path, because: "another candidate was picked", condition: true }));
}
