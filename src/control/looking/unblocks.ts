import { isOver, type RunState, type StepState } from "../../domain/index.ts";
import type { InboxRow } from "../../store/index.ts";

/**
 * How many steps cannot begin before `item` is answered: those that need its step, directly or through others; of a budget that holds the whole
 * run all that are not over. Groups are not counted beside their steps. Pure.
 */
export function unblocks(state: RunState, item: Pick<InboxRow, "kind" | "step" | "item">): number {
  const open = [...state.steps.values()].filter((s) => !isOver(s) && s.step.kind !== "group");
  const asker = state.steps.get(item.step);
  if (item.kind === "budget" && state.halted?.item === item.item) return open.length;
  if (!asker) return 0;
  const held = behind(state, asker);
  return open.filter((s) => held.has(s.step.path)).length;
}

/** Steps that come after `first`, with those that come after the groups it is in, and the steps of groups that do. */
function behind(state: RunState, first: StepState): Set<string> {
  const children = Map.groupBy(state.steps.values(), (s) => s.step.parent);
  const found = new Set<string>();
  const next: StepState[] = [];
  const take = (path: string): void => {
    const s = state.steps.get(path);
    if (!s || found.has(path)) return;
    found.add(path);
    next.push(s);
    for (const child of children.get(path) ?? []) take(child.step.path);
  };
  const follow = (s: StepState): void => {
    for (const path of s.dependents) take(path);
    const parent = s.step.parent === undefined ? undefined : state.steps.get(s.step.parent);
    if (parent && !found.has(parent.step.path)) follow(parent);
  };
  follow(first);
  for (let s = next.pop(); s; s = next.pop()) follow(s);
  found.delete(first.step.path);
  return found;
}
