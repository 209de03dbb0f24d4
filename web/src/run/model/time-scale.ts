import type { Doing } from "./activity.ts";
import type { Piece, Span } from "./spans.ts";

/** A stretch that is drawn shorter than it was, and why. */
export interface Break extends Span {
  kind: "people" | "idle";
  x0: number;
  x1: number;
}

export interface TimeScale {
  width: number;
  breaks: Break[];
  /** Where a time is drawn, from 0 to `width`; never decreases. */
  x(at: number): number;
  /** The time that is drawn there. */
  at(x: number): number;
}

/** A break is as wide as this share of the whole, at most. */
const BREAK_SHARE = 0.06;

/**
 * Draws what ran in proportion, and what did not in a fixed width where it is long: a night in which an approval waited takes no more room than a
 * word about it. `range` is the part that is looked at.
 */
export function timeScale(pieces: readonly Piece<Doing>[], range: Span, width: number): TimeScale {
  const clipped = pieces.flatMap((p) => {
    const from = Math.max(p.from, range.from);
    const to = Math.min(p.to, range.to);
    return to > from ? [{ ...p, from, to }] : [];
  });
  const isBusy = (p: Piece<Doing>): boolean => p.layer === "work" || p.layer === "queue";
  const busyMs = clipped.filter(isBusy).reduce((sum, p) => sum + p.to - p.from, 0);
  const wholeMs = clipped.reduce((sum, p) => sum + p.to - p.from, 0);
  // As long as it takes no more than its share anyway, time is drawn as it was.
  const longest = (busyMs === 0 ? wholeMs : busyMs) * BREAK_SHARE;
  const isBroken = (p: Piece<Doing>): boolean => busyMs > 0 && !isBusy(p) && p.to - p.from > longest;
  const weights = clipped.map((p) => (isBroken(p) ? longest : p.to - p.from));
  const total = weights.reduce((sum, w) => sum + w, 0);
  let x = 0;
  const drawn = clipped.map((p, i) => {
    const x0 = x;
    x += total === 0 ? 0 : ((weights[i] ?? 0) / total) * width;
    return { p, x0, x1: x };
  });
  const breaks = drawn.flatMap(({ p, x0, x1 }): Break[] =>
    isBroken(p) ? [{ kind: p.layer === "people" ? "people" : "idle", from: p.from, to: p.to, x0, x1 }] : [],
  );
  return {
    width,
    breaks,
    x(at) {
      const found = drawn.find(({ p }) => at < p.to);
      if (!found) return drawn.length === 0 ? 0 : width;
      return found.x0 + ((Math.max(at, found.p.from) - found.p.from) / (found.p.to - found.p.from)) * (found.x1 - found.x0);
    },
    at(where) {
      const found = drawn.find((d) => where < d.x1);
      if (!found) return drawn.at(-1)?.p.to ?? range.from;
      const share = found.x1 === found.x0 ? 0 : Math.max(0, where - found.x0) / (found.x1 - found.x0);
      return found.p.from + share * (found.p.to - found.p.from);
    },
  };
}
