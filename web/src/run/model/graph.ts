import type { RunState } from "../../../../src/domain/index.ts";

/** What of a run's steps is drawn, and what is joined to what: the shape alone, which changes far more seldom than how steps stand. */
export interface GraphShape {
  /** The same text, the same shape. */
  key: string;
  nodes: string[];
  edges: { from: string; to: string }[];
}

/**
 * A group is one node until it is unfolded. Then its first children hang below it, and what needs the group hangs below its last ones. A repeated
 * group shows the round it is at.
 */
export function graphShape(state: RunState, unfolded: ReadonlySet<string>): GraphShape {
  const isOpen = (path: string): boolean => unfolded.has(path) && (state.steps.get(path)?.group?.children.length ?? 0) > 0;
  const nodes: string[] = [];
  const edges: GraphShape["edges"] = [];
  const add = (path: string, siblings: ReadonlySet<string>, parent: string | undefined): void => {
    const s = state.steps.get(path);
    if (!s) return;
    nodes.push(path);
    const inside = s.declared.needs.filter((n) => siblings.has(n));
    for (const need of inside) for (const from of exits(need)) edges.push({ from, to: path });
    if (parent !== undefined && inside.length === 0) edges.push({ from: parent, to: path });
    if (!isOpen(path)) return;
    const children = s.group?.children ?? [];
    const below = new Set(children);
    for (const child of children) add(child, below, path);
  };
  /** What is to be over for a step to be over, as it is drawn. */
  const exits = (path: string): string[] => {
    if (!isOpen(path)) return [path];
    const children = state.steps.get(path)?.group?.children ?? [];
    const needed = new Set(children.flatMap((c) => state.steps.get(c)?.declared.needs ?? []));
    return children.filter((c) => !needed.has(c)).flatMap(exits);
  };
  const top = [...state.steps.values()].filter((s) => s.step.parent === undefined).map((s) => s.step.path);
  const all = new Set(top);
  for (const path of top) add(path, all, undefined);
  return { key: shapeKey(state, unfolded), nodes, edges };
}

/** Tells shapes of one run apart without making them: steps only ever come, and come with a round of a group that is drawn. */
export function shapeKey(state: RunState, unfolded: ReadonlySet<string>): string {
  const open = [...unfolded].sort().map((path) => `${path}:${state.steps.get(path)?.group?.round ?? 0}`);
  return `${state.runId}|${unfolded.size === 0 ? state.pipeline.steps.length : state.steps.size}|${open.join("|")}`;
}

/** The nearest drawn node that stands for a step: itself, or the folded group it is in. */
export function drawnFor(state: RunState, path: string, unfolded: ReadonlySet<string>): string {
  let drawn = path;
  for (let at = state.steps.get(path); at?.step.parent !== undefined; at = state.steps.get(at.step.parent))
    if (!unfolded.has(at.step.parent)) drawn = at.step.parent;
  return drawn;
}
