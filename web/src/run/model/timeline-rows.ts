import type { Bar } from "./activity.ts";
import type { Span } from "./spans.ts";

export interface TimelineRow {
  path: string;
  bars: readonly Bar[];
}

/** Steps that have done or waited for something within the range, those that began first on top. */
export function timelineRows(bars: ReadonlyMap<string, readonly Bar[]>, range: Span): TimelineRow[] {
  const rows: (TimelineRow & { from: number })[] = [];
  for (const [path, own] of bars) {
    const within = own.filter((b) => b.to > range.from && b.from < range.to);
    if (within.length > 0) rows.push({ path, bars: within, from: Math.min(...within.map((b) => b.from)) });
  }
  return rows.sort((a, b) => a.from - b.from);
}

/** Zoomed by a factor around a time, within the whole. Below a tenth of a second nothing is seen. */
export function zoom(range: Span, whole: Span, factor: number, around = (range.from + range.to) / 2): Span {
  const length = Math.max(100, Math.min((range.to - range.from) * factor, whole.to - whole.from));
  const share = range.to === range.from ? 0.5 : (around - range.from) / (range.to - range.from);
  const from = Math.max(whole.from, Math.min(around - share * length, whole.to - length));
  return { from, to: Math.min(whole.to, from + length) };
}
