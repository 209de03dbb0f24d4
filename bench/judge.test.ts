import { expect, test } from "vitest";
import { bestSingle, knownPairs, scoreJudging, type Row } from "./judge-score.ts";

/** Made up: `strong` is right in 9 of 10 of those pairs it decides and silent in every fifth; `weak` right in 7 of 10 and always decided. */
function madeUp(count: number): Row[] {
  return Array.from({ length: count }, (_, n) => {
    const [good, bad] = n % 2 === 0 ? ["A>B", "B>A"] : ["B>A", "A>B"];
    const strong = (n * 7) % 10 === 0 ? bad : good;
    const weak = (n * 3) % 10 < 3 ? bad : good;
    const twice = (word = ""): [string, string] => [word, word === "A>B" ? "B>A" : "A>B"];
    return {
      source: `made-up-${n % 3}`,
      label: good ?? "",
      judges: { strong: n % 5 === 1 ? ["A>B", "A>B"] : twice(strong), weak: twice(weak) },
    };
  });
}
const few = { rounds: 5, seed: 1, resamples: 200 };

test("the benchmark of judging sees what combining gains, and where: the silences of the best judge", () => {
  const pairs = knownPairs(madeUp(100));
  expect(bestSingle(pairs)).toBe("strong");
  const { metrics } = scoreJudging(pairs, few);
  expect(metrics.best_single_coverage).toBeCloseTo(0.8);
  expect(metrics.combined_accuracy).toBeGreaterThan(metrics.best_single_accuracy ?? 1);
  expect(metrics.combined_where_best_speaks).toBeCloseTo(metrics.best_single_where_it_speaks ?? 0, 1);
  expect(metrics.gain_95_low).toBeGreaterThan(0);
});

test("where every pair has one judge there is nothing to gain, and no figure pretends so", () => {
  const rows = madeUp(40).map((row): Row => ({ ...row, judges: { weak: row.judges.weak ?? [null, null] } }));
  const { metrics } = scoreJudging(knownPairs(rows), few);
  expect(metrics).toMatchObject({ pairs: 0, pairs_with_one_judge: 40, gain: 0 });
  expect(metrics.all_pairs_combined_accuracy).toBe(metrics.all_pairs_best_single_accuracy);
});

test("judges that toss coins gain nothing by being combined: a rule is never scored on what it was learnt from", () => {
  // Independent of the label and of each other: digits of a long fraction.
  const coin = (n: number, salt: number): boolean => Math.floor(Math.abs(Math.sin(n * 12.9898 + salt * 78.233)) * 43_758.5453) % 2 === 0;
  const rows = Array.from({ length: 200 }, (_, n): Row => ({
    source: "made-up",
    label: coin(n, 0) ? "A>B" : "B>A",
    judges: Object.fromEntries(
      Array.from({ length: 12 }, (_, j) => [`j${j}`, coin(n, j + 1) ? ["A>B", "B>A"] : ["B>A", "A>B"]] as const),
    ) as Row["judges"],
  }));
  const { metrics } = scoreJudging(knownPairs(rows), few);
  expect(Math.abs((metrics.combined_accuracy ?? 0) - 0.5)).toBeLessThan(0.08);
});

test("an answer that is missing is no vote, and the same seed gives the same figures", () => {
  const [pair] = knownPairs([{ source: "x", label: "B>A", judges: { j: [null, "A>B"], k: ["A=B", null] } }]);
  expect([...(pair?.leans ?? [])]).toEqual([
    ["j", -0.5],
    ["k", 0],
  ]);
  expect(knownPairs([{ source: "x", label: "A=B", judges: {} }])).toEqual([]);
  const pairs = knownPairs(madeUp(40));
  expect(scoreJudging(pairs, few)).toEqual(scoreJudging(pairs, few));
});
