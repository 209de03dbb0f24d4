import { knownPairs, scoreJudging, type Row } from "./judge-score.ts";
import { report, rowsOf } from "./report.ts";

/**
 * The rule that combines several judges' decisions, applied to decisions recorded on JudgeBench. It is learnt on one half of the pairs and
 * scored on the other, over seeded halvings. `combined_accuracy` and `best_single_accuracy` are over the pairs that several judges judged, and
 * whoever decides nothing is not right; the best single judge is chosen in hindsight. Much of what combining gains is that it nearly always
 * decides; the figures `_where_best_speaks` and `_with_coin` take that out.
 */
const FILE = "judgebench.jsonl";

const rows = rowsOf<Row>(FILE);
if (rows) {
  const { metrics, best } = scoreJudging(knownPairs(rows), { rounds: 100, seed: 1, resamples: 2_000 });
  report("judge", metrics, { combined_accuracy: `> ${(metrics.best_single_accuracy ?? 0).toFixed(6)}` }, [
    `Best single judge, in hindsight: ${best}. It is silent where its two orders disagree.`,
    `On the ${metrics.pairs_with_one_judge} pairs with one judge there is nothing to combine.`,
  ]);
}
