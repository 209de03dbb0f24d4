import type { Pipeline } from "../domain/index.ts";

/** Steps by id, each with the ids it needs. Needs that are no steps are ignored here. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/**
 * One cycle of each knot of steps that wait for each other, as `[a, b, a]`, beginning with the first of them in the
 * order of the file. Steps that need themselves are not counted. Linear in steps and needs.
 */
export function findCycles(needs: Needs): string[][] {
  const order = new Map([...needs.keys()].map((id, i) => [id, i]));
  return knots(needs).map((knot) => {
    const inside = new Set(knot);
    const first = knot.reduce((a, b) => ((order.get(a) ?? 0) < (order.get(b) ?? 0) ? a : b));
    return shortestLoop(first, (id) => (needs.get(id) ?? []).filter((n) => inside.has(n) && n !== id));
  });
}

/** From `start` along needs back to it, by breadth-first search. */
function shortestLoop(start: string, next: (id: string) => string[]): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const id of queue) {
    for (const n of next(id)) {
      if (n === start) {
        const path = [id];
        for (let at = cameFrom.get(id); at !== undefined; at = cameFrom.get(at)) path.push(at);
        return [...path.reverse(), start];
      }
      if (cameFrom.has(n)) continue;
      cameFrom.set(n, id);
      queue.push(n);
    }
  }
  return [start];
}

/** Tarjan's strongly connected components of two steps and more, without recursion: chains are long. */
function knots(needs: Needs): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  const enter = (id: string): void => {
    index.set(id, index.size);
    low.set(id, index.size - 1);
    open.push(id);
    isOpen.add(id);
  };
  const lower = (id: string, to: number): void => void low.set(id, Math.min(low.get(id) ?? to, to));
  for (const root of needs.keys()) {
    if (index.has(root)) continue;
    enter(root);
    const stack = [{ id: root, rest: (needs.get(root) ?? []).values() }];
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { done, value: next } = top.rest.next();
      if (!done) {
        if (!needs.has(next)) continue;
        if (!index.has(next)) {
          enter(next);
          stack.push({ id: next, rest: (needs.get(next) ?? []).values() });
        } else if (isOpen.has(next)) lower(top.id, index.get(next) ?? 0);
        continue;
      }
      stack.pop();
      const above = stack.at(-1);
      if (above) lower(above.id, low.get(top.id) ?? 0);
      if (low.get(top.id) !== index.get(top.id)) continue;
      const knot = open.splice(open.lastIndexOf(top.id));
      for (const id of knot) isOpen.delete(id);
      if (knot.length > 1) found.push(knot);
    }
  }
  return found;
}

/**
 * For each step the number of steps on the longest chain that waits for it: 0 for a step nobody needs. Steps with longer
 * chains go first. Of a pipeline without cycles; linear.
 */
export function criticalPathLengths(pipeline: Pick<Pipeline, "steps">): Map<string, number> {
  const needs = new Map(pipeline.steps.map((s) => [s.path, s.needs]));
  const waiting = new Map(pipeline.steps.map((s) => [s.path, 0]));
  for (const s of pipeline.steps) for (const n of s.needs) waiting.set(n, (waiting.get(n) ?? 0) + 1);
  const lengths = new Map(pipeline.steps.map((s) => [s.path, 0]));
  const ready = [...waiting].flatMap(([id, n]) => (n === 0 ? [id] : []));
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    for (const n of needs.get(id) ?? []) {
      lengths.set(n, Math.max(lengths.get(n) ?? 0, (lengths.get(id) ?? 0) + 1));
      const left = (waiting.get(n) ?? 1) - 1;
      waiting.set(n, left);
      if (left === 0) ready.push(n);
    }
  }
  return lengths;
}
