import type { JudgeRecord } from "./contract.ts";
import { leadOf, type Weighing } from "./weighing.ts";

/** A pair whose truth is known, with what each judge held of it (see `leanOf`). A judge that was not asked is absent. */
export interface KnownPair {
  leans: ReadonlyMap<string, number>;
  better: "first" | "second";
  /** The kind of work, where judges differ by it. */
  kind?: string | undefined;
}

/**
 * How far weights may be expected to stray from nothing, before anything is seen: inverse variances. A weight of 0.5 (standard deviation
 * of the first) is a judge that is right in 62 of 100 cases. What a judge is worth more or less at one kind of work is expected to be smaller.
 */
const STIFFNESS = { overall: 4, byKind: 8 };

const SWEEPS = 500;
const SETTLED = 1e-7;

/**
 * Weights from pairs judged together: a ridge logistic regression of the truth on the leans, without an intercept (which candidate came first
 * says nothing), every weight at least 0, found by coordinate descent. Unlike records taken one by one, this sees judges that
 * err together: five models of one family do not outvote a better one. Each judge has a weight, and one more for each kind of work.
 *
 * Deterministic. Judges absent from a pair count there as silent, so that rows with few judges do no harm.
 */
export function learnWeighing(pairs: readonly KnownPair[]): Weighing {
  const judges = [...new Set(pairs.flatMap((pair) => [...pair.leans.keys()]))].sort();
  const kinds = [...new Set(pairs.flatMap((pair) => pair.kind ?? []))].sort();
  const columns = judges.flatMap((judge) => [undefined, ...kinds].map((kind) => columnOf(pairs, judge, kind)));
  descend(columns, pairs.length);
  const weights = new Map(columns.map(({ judge, kind, weight }) => [keyOf(judge, kind), weight]));
  const at = (judge: string, kind: string | undefined): number => weights.get(keyOf(judge, kind)) ?? 0;
  const records = recordsOf(pairs);
  return {
    weightOf: (judge, kind) => at(judge, undefined) + (kind === undefined ? 0 : at(judge, kind)),
    leadAmong: (asked) => leadOf(records, asked),
  };
}

/** How often each judge was right of those times when it said something. Half a word is half a case. */
export function recordsOf(pairs: readonly KnownPair[]): Map<string, JudgeRecord> {
  const records = new Map<string, JudgeRecord>();
  for (const { leans, better } of pairs)
    for (const [judge, lean] of leans) {
      const { right, wrong } = records.get(judge) ?? { right: 0, wrong: 0 };
      const isRight = lean > 0 === (better === "first");
      records.set(judge, isRight ? { right: right + Math.abs(lean), wrong } : { right, wrong: wrong + Math.abs(lean) });
    }
  return records;
}

interface Column {
  judge: string;
  kind: string | undefined;
  stiffness: number;
  weight: number;
  /** Row and lean, positive where the judge was right; rows where it said nothing are left out. */
  cells: { row: number; value: number }[];
}

function columnOf(pairs: readonly KnownPair[], judge: string, kind: string | undefined): Column {
  const cells = pairs.flatMap((pair, row) => {
    const lean = kind === undefined || pair.kind === kind ? (pair.leans.get(judge) ?? 0) : 0;
    return lean === 0 ? [] : [{ row, value: pair.better === "first" ? lean : -lean }];
  });
  return { judge, kind, stiffness: kind === undefined ? STIFFNESS.overall : STIFFNESS.byKind, weight: 0, cells };
}

/** Log likelihood of logistic regression is concave and the penalty strictly so: there is one best point, and coordinate descent finds it. */
function descend(columns: readonly Column[], rows: number): void {
  const score = Array.from({ length: rows }, () => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let moved = 0;
    for (const column of columns) {
      let gradient = -column.stiffness * column.weight;
      let curvature = column.stiffness;
      for (const { row, value } of column.cells) {
        gradient += value / (1 + Math.exp(score[row] ?? 0));
        // The most it can be (p(1-p) <= 1/4), not what it is here: a step then never overshoots.
        curvature += (value * value) / 4;
      }
      const next = Math.max(0, column.weight + gradient / curvature);
      const step = next - column.weight;
      if (step === 0) continue;
      column.weight = next;
      for (const { row, value } of column.cells) score[row] = (score[row] ?? 0) + value * step;
      moved = Math.max(moved, Math.abs(step));
    }
    if (moved < SETTLED) return;
  }
}

const keyOf = (judge: string, kind: string | undefined): string => JSON.stringify([judge, kind ?? null]);
