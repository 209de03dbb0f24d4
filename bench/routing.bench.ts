import { join } from "node:path";
import type { CascadePlan } from "../src/models/routing/economics/index.ts";
import { seeded } from "../src/models/routing/economics/economics.testkit.ts";
import { readTable } from "./outcome-table.ts";
import { dataFolder, report } from "./report.ts";
import { meanOf, only, paired, POLICIES, replaySplits, type Outcome, type Policy, type Replayed, type Table } from "./routing-replay.ts";

/**
 * Which models should try a coding task, and in which order: public outcomes of twelve models on the same tasks, replayed. Each policy learns
 * on one half of the tasks, chosen at random, and is scored on the other; twenty seeded halves; gates that accept 0, 10 and 30 % of wrong
 * results and 90 % of right ones. The last attempt's result is taken without a gate, so a single model is its plain resolve rate.
 *
 *   strongest  in hindsight: of the models within 1 point of the best over all tasks, the dearest
 *   static     learnt: the cheapest model within 1 point of the best on the training half; what a sensible person would pick
 *   waterfall  learnt, naive: the best model of each third by price, from the cheapest up
 *   constant   not learnt: the cheapest model by price, then the dearest
 *   stepfall   `planCascade`, the most right results for no more than the static choice costs
 *   frugal     `planCascade`, the cheapest way to the strongest's share of right results
 *   oracle     knows the outcomes: the cheapest model that is right
 *
 * Intervals: 95 %, bootstrap over tasks of the paired difference to `static`. The halves overlap, so they are not counted as replicates.
 */
const FILE = "swebench_verified_outcomes.csv";
const SECOND = "swebench_multilingual_outcomes.csv";
const ROWS: readonly { name: string; keep: (model: string) => boolean }[] = [
  { name: "all", keep: () => true },
  { name: "no_minimax", keep: (m) => !m.startsWith("minimax") },
  { name: "anthropic", keep: (m) => m.startsWith("claude") },
  { name: "openai", keep: (m) => m.startsWith("gpt-5") },
  { name: "open_weights", keep: (m) => /^(?:minimax|glm|kimi|deepseek)/.test(m) },
];
const GATES = [0, 0.1, 0.3];
const SETTINGS = { splits: 20, seed: 1, trainShare: 0.5, trueAccept: 0.9 };

/** `all_fpr01`: all models, a gate that accepts a tenth of wrong results. */
const key = (row: string, falseAccept: number): string => `${row}_fpr${falseAccept.toFixed(1).replace(".", "")}`;
const fixed = (x: number, digits: number): string => (x > 0 ? "+" : "") + x.toFixed(digits);
const savedOf = (a: readonly Outcome[], b: readonly Outcome[]): number => 100 * (1 - meanOf(a, "microUsd") / meanOf(b, "microUsd"));
const pointsOf = (a: readonly Outcome[], b: readonly Outcome[]): number => 100 * (meanOf(a, "right") - meanOf(b, "right"));

interface Row {
  name: string;
  falseAccept: number;
  replayed: Replayed;
}

function linesOf({ name, falseAccept, replayed: { means, plans } }: Row): string[] {
  const line = (policy: Policy): string => {
    const d = paired(means[policy], means.static, "right", seeded(2));
    const c = paired(means[policy], means.static, "microUsd", seeded(2));
    const resolve = `${(100 * meanOf(means[policy], "right")).toFixed(1)} %`.padStart(7);
    const cost = `$${(meanOf(means[policy], "microUsd") / 1e6).toFixed(4)}`;
    return (
      `  ${policy.padEnd(10)}${resolve}  ${cost}   to static: ${fixed(100 * d.mean, 2)} points [${fixed(100 * d.low, 2)}, ${fixed(100 * d.high, 2)}]` +
      `, $${fixed(c.mean / 1e6, 4)} [${fixed(c.low / 1e6, 4)}, ${fixed(c.high / 1e6, 4)}]`
    );
  };
  const single = (plan: CascadePlan): boolean => plan.verdict !== "cascade";
  const ours = plans.filter((_, i) => i % 2 === 0);
  return [
    `${name}, gate accepts ${Math.round(100 * falseAccept)} % of wrong results: one model is said to be best in ${ours.filter(single).length} of ${ours.length} halves`,
    ...POLICIES.map(line),
  ];
}

function metricsOf(rows: readonly Row[]): Record<string, number> {
  const metrics: Record<string, number> = {};
  let [least, dearer, below, gains] = [Number.POSITIVE_INFINITY, 0, 0, 0];
  for (const { name, falseAccept, replayed } of rows) {
    const { means } = replayed;
    const gain = paired(means.stepfall, means.static, "right", seeded(2));
    least = Math.min(least, 100 * gain.mean);
    if (meanOf(means.stepfall, "microUsd") > meanOf(means.static, "microUsd")) dearer++;
    if (gain.low < -0.01) below++;
    if (falseAccept <= 0.1 && gain.mean > 0) gains++;
    metrics[`gain_${key(name, falseAccept)}`] = 100 * gain.mean;
    metrics[`gain_low_${key(name, falseAccept)}`] = 100 * gain.low;
  }
  const headline = rows.find((r) => r.name === "all" && r.falseAccept === 0.1)?.replayed.means;
  if (headline) {
    const better = paired(headline.frugal, headline.strongest, "right", seeded(2));
    Object.assign(metrics, {
      saved_all_fpr01: savedOf(headline.frugal, headline.strongest),
      dpp_all_fpr01: pointsOf(headline.frugal, headline.strongest),
      dpp_low_all_fpr01: 100 * better.low,
      stepfall_saved_all_fpr01: savedOf(headline.stepfall, headline.strongest),
      stepfall_dpp_all_fpr01: pointsOf(headline.stepfall, headline.strongest),
      oracle_saved_all_fpr01: savedOf(headline.oracle, headline.strongest),
    });
  }
  return { ...metrics, gain_vs_static_min: least, rows_dearer_than_static: dearer, rows_low_under_1_point: below, rows_with_gain: gains };
}

const rowsOf = (table: Table): Row[] =>
  ROWS.flatMap(({ name, keep }) =>
    GATES.map((falseAccept) => ({ name, falseAccept, replayed: replaySplits(only(table, keep), { ...SETTINGS, falseAccept }) })),
  );

function main(): void {
  const dir = dataFolder();
  const table = readTable(join(dir, FILE), "v2.0.0");
  if (!table || table.tasks.length === 0) {
    process.stderr.write(
      `Skipped: there is no ${FILE} with outcomes of mini-SWE-agent v2.0.0 in ${dir}. Name the folder with --data DIR.\n`,
    );
    return;
  }
  const rows = rowsOf(table);
  const other = readTable(join(dir, SECOND), "v2.0.0a0");
  const elsewhere = other && other.tasks.length > 0 ? metricsOf(rowsOf(other)) : {};
  const pick = (name: string): Record<string, number> => {
    const value = elsewhere[name];
    return value === undefined ? {} : { [`multilingual_${name}`]: value };
  };
  report(
    "routing",
    {
      ...metricsOf(rows),
      tasks: table.tasks.length,
      models: table.models.length,
      ...pick("gain_vs_static_min"),
      ...pick("rows_dearer_than_static"),
      ...pick("rows_low_under_1_point"),
      ...pick("rows_with_gain"),
    },
    {
      saved_all_fpr01: ">= 80",
      dpp_all_fpr01: ">= 0",
      rows_dearer_than_static: "== 0",
      rows_low_under_1_point: "== 0",
      rows_with_gain: ">= 10",
    },
    rows.flatMap(linesOf),
  );
}

main();
