import { graphlib, layout } from "@dagrejs/dagre";
import type { GraphShape } from "./graph.ts";

/** Where a node is drawn: its upper left corner. */
export interface Placed {
  x: number;
  y: number;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 64;

/** Lays a graph out from left to right. Slow for large graphs (a second for a thousand nodes): called in a worker. */
export function place(shape: Pick<GraphShape, "nodes" | "edges">): Map<string, Placed> {
  const graph = new graphlib.Graph();
  graph.setGraph({
    rankdir: "LR",
    nodesep: 18,
    ranksep: 56,
    marginx: 16,
    marginy: 16,
    ...(shape.nodes.length > 300 ? { ranker: "longest-path" } : {}),
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const path of shape.nodes) graph.setNode(path, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of shape.edges) graph.setEdge(from, to);
  layout(graph);
  const placed = new Map<string, Placed>();
  for (const path of shape.nodes) {
    const { x, y } = graph.node(path) as { x: number; y: number };
    placed.set(path, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) });
  }
  return placed;
}
