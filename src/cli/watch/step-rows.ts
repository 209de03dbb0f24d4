import { isOver, stillWaits, type RunState, type StepState } from "../../domain/index.ts";
import { rowOf, type Row, type SeenAttempts } from "../progress/rows.ts";

/** A step as `watch` lists it: a group can be unfolded. */
export interface StepRow extends Row {
  depth: number;
  isGroup: boolean;
}

/** What failed comes first, then what waits for people, what is under way, what is to come, and what is over; each as the pipeline has it. */
export function stepRows(state: RunState, seen: SeenAttempts, unfolded: ReadonlySet<string>, now: number): StepRow[] {
  const children = Map.groupBy(state.steps.values(), (s) => s.step.parent ?? "");
  const waiting = new Set([...state.inbox.values()].filter(stillWaits).map((item) => item.step));
  const list = (parent: string, depth: number): StepRow[] =>
    (children.get(parent) ?? [])
      .map((s, at) => ({ s, at, weight: weightOf(s, children, waiting) }))
      .toSorted((a, b) => a.weight - b.weight || a.at - b.at)
      .flatMap(({ s }) => {
        const isGroup = s.step.kind === "group";
        const below = isGroup && unfolded.has(s.step.path) ? list(s.step.path, depth + 1) : [];
        const plain = rowOf(s, seen, now);
        const status = waiting.has(s.step.path) && !isOver(s) ? "waits" : plain.status;
        const text = isGroup ? [countsOf(children.get(s.step.path) ?? []), plain.text].filter(Boolean).join("; ") : plain.text;
        return [{ ...plain, status, text, depth, isGroup }, ...below];
      });
  return list("", 0);
}

function weightOf(s: StepState, children: Map<string, StepState[]>, waiting: ReadonlySet<string>): number {
  const below = s.step.kind === "group" ? (children.get(s.step.path) ?? []).map((c) => weightOf(c, children, waiting)) : [];
  const own =
    s.status === "failed"
      ? 0
      : isOver(s)
        ? s.status === "completed"
          ? 4
          : 5
        : waiting.has(s.step.path)
          ? 1
          : s.status === "active"
            ? 2
            : 3;
  // A group that goes on is where the most urgent of its steps is.
  return isOver(s) ? own : Math.min(own, ...below);
}

/** `3 of 8 done, 1 failed, 2 running`. */
function countsOf(children: readonly StepState[]): string {
  const count = (status: StepState["status"]): number => children.filter((c) => c.status === status).length;
  const more = [
    [count("failed"), "failed"],
    [count("active"), "active"],
    [count("skipped") + count("cancelled"), "not done"],
  ] as const;
  return [`${count("completed")} of ${children.length} done`, ...more.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}`] : []))].join(", ");
}
