import type { Placed } from "./place.ts";

export type Direction = "up" | "down" | "left" | "right";

/** The node an arrow key leads to: the nearest in that direction, things straight ahead before things at an angle. */
export function neighbour(placed: ReadonlyMap<string, Placed>, from: string, direction: Direction): string | undefined {
  const here = placed.get(from);
  if (!here) return placed.keys().next().value;
  let best: { path: string; cost: number } | undefined;
  for (const [path, there] of placed) {
    if (path === from) continue;
    const dx = there.x - here.x;
    const dy = there.y - here.y;
    const ahead = { up: -dy, down: dy, left: -dx, right: dx }[direction];
    const aside = Math.abs(direction === "up" || direction === "down" ? dx : dy);
    if (ahead <= 1) continue;
    const cost = ahead + aside * 2;
    if (!best || cost < best.cost) best = { path, cost };
  }
  return best?.path;
}
