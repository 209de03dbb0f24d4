import type { Weighed } from "./weigh.ts";

/** A plan as a point: what it costs and what it is worth, each pessimistic by its uncertainty against the reference. */
export interface Point {
  plan: Weighed;
  cost: number;
  value: number;
}

export interface Share {
  share: number;
  plan: Weighed;
}

/**
 * Pessimism in the face of uncertainty: a plan is taken at the bound of its figures that is against it, not at their mean, since among a
 * thousand plans the one that looks best is the one that was luckiest (Smith and Winkler 2006; Jin, Yang and Wang 2021). In standard errors,
 * paired with the reference, which itself has none: so in doubt the reference is kept.
 */
export interface Caution {
  right: number;
  cost: number;
}

export const pointOf = (plan: Weighed, caution: Caution): Point => ({
  plan,
  cost: plan.microUsd + caution.cost * plan.microUsdError,
  value: plan.value - caution.right * plan.valueError,
});

/** The points that no mix of others beats, by rising cost: the upper convex hull. */
export function frontier(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.cost - b.cost || b.value - a.value);
  const hull: Point[] = [];
  for (const point of sorted) {
    if (hull.length > 0 && point.value <= (hull.at(-1)?.value ?? 0)) continue;
    while (hull.length >= 2 && isBelow(hull.at(-2), hull.at(-1), point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

const isBelow = (a: Point | undefined, b: Point | undefined, c: Point): boolean =>
  a !== undefined && b !== undefined && (b.value - a.value) * (c.cost - a.cost) <= (c.value - a.value) * (b.cost - a.cost);

/** The mix of most value whose cost is within the budget; `undefined`: even the cheapest costs more. */
export function bestWithin(hull: readonly Point[], budget: number): Share[] | undefined {
  const above = hull.findIndex((p) => p.cost > budget);
  if (above === 0 || hull.length === 0) return undefined;
  const [low, high] = [hull[(above === -1 ? hull.length : above) - 1], above === -1 ? undefined : hull[above]];
  return low && blend(low, high, high ? (budget - low.cost) / (high.cost - low.cost) : 0);
}

/** The cheapest mix of at least so much value; `undefined`: none is. */
export function cheapestWith(hull: readonly Point[], value: number): Share[] | undefined {
  const above = hull.findIndex((p) => p.value >= value);
  const high = hull[above];
  if (!high) return undefined;
  const low = hull[above - 1];
  return low ? blend(low, high, (value - low.value) / (high.value - low.value)) : [{ share: 1, plan: high.plan }];
}

/** Below this a share is a rounding error. A small share is kept, however small: without it the mix would break its promise. */
const LEAST_SHARE = 1e-9;

function blend(low: Point, high: Point | undefined, share: number): Share[] {
  if (!high || share < LEAST_SHARE) return [{ share: 1, plan: low.plan }];
  if (share > 1 - LEAST_SHARE) return [{ share: 1, plan: high.plan }];
  return [
    { share: 1 - share, plan: low.plan },
    { share, plan: high.plan },
  ];
}
