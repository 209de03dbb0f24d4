import type { Weighing } from "./weighing.ts";

/** What a judge said of a pair: the first is better, the second, or neither. `undefined`: no usable answer. */
export type PairWord = "first" | "second" | "tie" | undefined;

/**
 * What a judge holds of a pair, from 1 (the first is better) to -1 (the second). Asked in both orders it must mean the same candidate both
 * times: 1 or -1. Once a candidate and once a tie is half a word. Whoever means a position and not a candidate abstains: 0.
 *
 * `asShown`: its word with the pair in this order; `swapped`: its word when the other came first, so `first` there is our second.
 */
export function leanOf(asShown: PairWord, swapped: PairWord): number {
  return (toward(asShown) - toward(swapped)) / 2;
}

const toward = (word: PairWord): number => (word === "first" ? 1 : word === "second" ? -1 : 0);

export interface PairDecision {
  /** Absent: undecided. */
  better?: "first" | "second";
  /** Weight for the first less weight for the second: log-odds, positive for the first. */
  support: number;
  /** Share of all judges' weight, those who abstain too, on the side that is ahead. */
  agreement: number;
  by: "lead" | "vote" | "nobody";
}

export interface PairRule {
  weighing: Weighing;
  kind?: string | undefined;
  /** Share of the weight that must be on one side. Default: any, more than the other has. */
  agreement?: number | undefined;
}

/**
 * One decision from several judges' leans. The lead's word stands where there is a lead and it said something; else the weighted votes decide.
 * Judges that were not asked are not in `leans`; those who abstain are, with 0.
 */
export function decidePair(leans: ReadonlyMap<string, number>, { weighing, kind, agreement = 0 }: PairRule): PairDecision {
  let support = 0;
  let whole = 0;
  const side = { first: 0, second: 0 };
  for (const [judge, lean] of leans) {
    const weight = weighing.weightOf(judge, kind);
    whole += weight;
    support += weight * lean;
    if (lean > 0) side.first += weight * lean;
    if (lean < 0) side.second -= weight * lean;
  }
  const share = whole === 0 ? 0 : Math.max(side.first, side.second) / whole;
  const lead = leans.get(weighing.leadAmong(leans.keys()) ?? "") ?? 0;
  if (lead !== 0) return { better: lead > 0 ? "first" : "second", support, agreement: share, by: "lead" };
  if (Math.abs(support) < TINY || share + TINY < agreement) return { support, agreement: share, by: "nobody" };
  return { better: support > 0 ? "first" : "second", support, agreement: share, by: "vote" };
}

/** Sums of weights that are level but for rounding are level. */
const TINY = 1e-9;
