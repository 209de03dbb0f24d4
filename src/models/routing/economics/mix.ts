import type { Weighed } from "./weigh.ts";

/** A plan as a point: what it costs and how often it is right, each pessimistic by its uncertainty against the reference. */
export interface Point {
  plan: Weighed;
  cost: number;
  right: number;
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
  right: plan.right - caution.right * plan.rightError,
});

/** The points that no mix of others beats, by rising cost: the upper convex hull. */
export function frontier(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.cost - b.cost || b.right - a.right);
  const hull: Point[] = [];
  for (const point of sorted) {
    if (hull.length > 0 && point.right <= (hull.at(-1)?.right ?? 0)) continue;
    while (hull.length >= 2 && isBelow(hull.at(-2), hull.at(-1), point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

const isBelow = (a: Point | undefined, b: Point | undefined, c: Point): boolean =>
  a !== undefined && b !== undefined && (b.right - a.right) * (c.cost - a.cost) <= (c.right - a.right) * (b.cost - a.cost);

/** The mix with the most right results whose cost is within the budget; `undefined`: even the cheapest costs more. */
export function bestWithin(hull: readonly Point[], budget: number): Share[] | undefined {
  const above = hull.findIndex((p) => p.cost > budget);
  if (above === 0 || hull.length === 0) return undefined;
  const [low, high] = [hull[(above === -1 ? hull.length : above) - 1], above === -1 ? undefined : hull[above]];
  return low && blend(low, high, high ? (budget - low.cost) / (high.cost - low.cost) : 0);
}

/** The cheapest mix that is right at least so often; `undefined`: none is. */
export function cheapestWith(hull: readonly Point[], right: number): Share[] | undefined {
  const above = hull.findIndex((p) => p.right >= right);
  const high = hull[above];
  if (!high) return undefined;
  const low = hull[above - 1];
  return low ? blend(low, high, (right - low.right) / (high.right - low.right)) : [{ share: 1, plan: high.plan }];
}

/** Shares below a hundredth are not worth a second plan. */
const LEAST_SHARE = 0.01;

function blend(low: Point, high: Point | undefined, share: number): Share[] {
  if (!high || share < LEAST_SHARE) return [{ share: 1, plan: low.plan }];
  if (share > 1 - LEAST_SHARE) return [{ share: 1, plan: high.plan }];
  return [
    { share: 1 - share, plan: low.plan },
    { share, plan: high.plan },
  ];
}
