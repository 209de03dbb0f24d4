import { NODE_HEIGHT, NODE_WIDTH } from "../model/place.ts";
import type { PlacedGraph } from "./use-placed.ts";

/** Every edge from the right side of one node to the left side of another, as the data of a single SVG path. */
export function edgesPath({ shape, placed }: PlacedGraph): string {
  let path = "";
  for (const { from, to } of shape.edges) {
    const a = placed.get(from);
    const b = placed.get(to);
    if (!a || !b) continue;
    const [x0, y0, x1, y1] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2, b.x, b.y + NODE_HEIGHT / 2];
    const bend = Math.max(20, (x1 - x0) / 2);
    path += `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
  }
  return path;
}
