import {
  decidePair,
  leanOf,
  learnWeighing,
  recordsOf,
  weighByRecord,
  type KnownPair,
  type PairWord,
  type Weighing,
} from "../src/quality/judging/index.ts";

/** What the benchmark of judging computes: rules learnt on one part of recorded decisions and scored on the rest. Pure. */

export interface Row {
  source: string;
  label: string;
  /** By judge: its decision, and its decision with the two swapped, which then speaks of the swapped ones. */
  judges: Record<string, [string | null, string | null]>;
}

/** Those whose label says which one is better. */
export function knownPairs(rows: readonly Row[]): KnownPair[] {
  return rows.flatMap((row) => {
    const better = wordOf(row.label);
    if (better !== "first" && better !== "second") return [];
    const leans = new Map(Object.entries(row.judges).map(([judge, [shown, swapped]]) => [judge, leanOf(wordOf(shown), wordOf(swapped))]));
    // `a-b-c-...`: the family of tasks, without its subject.
    return [{ leans, better, kind: row.source.split("-").slice(0, 2).join("-") }];
  });
}

function wordOf(decision: string | null): PairWord {
  switch (decision) {
    case "A>B":
      return "first";
    case "B>A":
      return "second";
    case "A=B":
      return "tie";
    default:
      return undefined;
  }
}

/** 1: right, 0: wrong, `undefined`: nothing said. */
type Outcome = 0 | 1 | undefined;

const outcomeOf = (better: string | undefined, pair: KnownPair): Outcome =>
  better === undefined ? undefined : better === pair.better ? 1 : 0;

const singleOf = (judge: string, pair: KnownPair): Outcome => {
  const lean = pair.leans.get(judge) ?? 0;
  return outcomeOf(lean > 0 ? "first" : lean < 0 ? "second" : undefined, pair);
};

/** Rules by name: learnt from `known`, they answer for a pair they have not seen. */
type Rule = (known: readonly KnownPair[]) => (pair: KnownPair) => Outcome;

const voting = (weighing: Weighing): ((pair: KnownPair) => Outcome) => {
  return (pair) => outcomeOf(decidePair(pair.leans, { weighing, kind: pair.kind }).better, pair);
};
const withoutLead = (weighing: Weighing): Weighing => ({ ...weighing, leadAmong: () => undefined });

const rules = {
  combined: (known) => voting(learnWeighing(known)),
  combined_without_lead: (known) => voting(withoutLead(learnWeighing(known))),
  by_record: (known) => voting(weighByRecord([...recordsOf(known)].map(([id, record]) => ({ id, record })))),
  majority: () => voting({ weightOf: () => 1, leadAmong: () => undefined }),
  chosen_single: (known) => {
    const judge = bestSingle(known);
    return (pair) => singleOf(judge, pair);
  },
} satisfies Record<string, Rule>;

type RuleName = keyof typeof rules;
const ruleNames = Object.keys(rules) as RuleName[];

const shareRight = (outcomes: readonly Outcome[]): number => mean(outcomes.map((outcome) => outcome ?? 0));
/** As if whoever says nothing tossed a coin. */
const withCoin = (outcomes: readonly Outcome[]): number => mean(outcomes.map((outcome) => outcome ?? 0.5));
const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** In hindsight: the judge with the most right answers on these pairs. */
export function bestSingle(pairs: readonly KnownPair[]): string {
  const judges = [...new Set(pairs.flatMap((pair) => [...pair.leans.keys()]))];
  const right = (judge: string): number => shareRight(pairs.map((pair) => singleOf(judge, pair)));
  return judges.sort((a, b) => right(b) - right(a))[0] ?? "";
}

/** Every rule's answer for every pair, in each of `rounds` random halvings: learnt on the half that the pair is not in. */
function outOfHalf(pairs: readonly KnownPair[], rounds: number, random: () => number): Record<RuleName, Outcome[][]> {
  const answers = Object.fromEntries(ruleNames.map((name) => [name, []])) as unknown as Record<RuleName, Outcome[][]>;
  for (let round = 0; round < rounds; round++) {
    const order = shuffled(
      pairs.map((_, at) => at),
      random,
    );
    const middle = Math.floor(order.length / 2);
    const halves = [order.slice(0, middle), order.slice(middle)];
    const answered = Object.fromEntries(
      ruleNames.map((name) => [name, Array.from({ length: pairs.length }, (): Outcome => undefined)]),
    ) as unknown as Record<RuleName, Outcome[]>;
    for (const [known, rest] of [halves, halves.toReversed()]) {
      const seen = pick(pairs, known ?? []);
      for (const name of ruleNames) {
        const answer = rules[name](seen);
        for (const at of rest ?? []) answered[name][at] = answer(pairs[at] as KnownPair);
      }
    }
    for (const name of ruleNames) answers[name].push(answered[name]);
  }
  return answers;
}

export interface JudgeFigures {
  metrics: Record<string, number>;
  best: string;
}

export function scoreJudging(all: readonly KnownPair[], options: { rounds: number; seed: number; resamples: number }): JudgeFigures {
  const random = mulberry32(options.seed);
  const pairs = all.filter((pair) => pair.leans.size > 1);
  const alone = all.filter((pair) => pair.leans.size === 1);
  const best = bestSingle(pairs);
  const single = pairs.map((pair) => singleOf(best, pair));
  const answers = outOfHalf(pairs, options.rounds, random);
  const over = (name: RuleName, score: (outcomes: readonly Outcome[]) => number): number => mean(answers[name].map(score));
  const where =
    (keep: (at: number) => boolean) =>
    (outcomes: readonly Outcome[]): number =>
      shareRight(outcomes.filter((_, at) => keep(at)));
  const speaks = (at: number): boolean => single[at] !== undefined;
  // Of each pair, how often the rule was right over the rounds: what is resampled are pairs.
  const perPair = (value: (outcome: Outcome) => number): number[] =>
    pairs.map((_, at) => mean(answers.combined.map((round) => value(round[at]))) - value(single[at]));
  const gain = interval(
    perPair((outcome) => outcome ?? 0),
    options.resamples,
    random,
  );
  const gainOverCoin = interval(
    perPair((outcome) => outcome ?? 0.5),
    options.resamples,
    random,
  );
  // Where one judge was asked its word is the combination's, too.
  const aloneRight = alone.filter((pair) => [...pair.leans.keys()].some((judge) => singleOf(judge, pair) === 1)).length;
  const onAll = (accuracy: number): number => (all.length === 0 ? 0 : (accuracy * pairs.length + aloneRight) / all.length);
  const combined = over("combined", shareRight);
  const bestAccuracy = shareRight(single);
  return {
    best,
    metrics: {
      combined_accuracy: combined,
      best_single_accuracy: bestAccuracy,
      gain: combined - bestAccuracy,
      gain_95_low: gain.low,
      gain_95_high: gain.high,
      halvings_won_share: mean(answers.combined.map((round) => (shareRight(round) > bestAccuracy ? 1 : 0))),
      pairs: pairs.length,
      halvings: options.rounds,
      combined_coverage: over("combined", (outcomes) => mean(outcomes.map((outcome) => (outcome === undefined ? 0 : 1)))),
      best_single_coverage: mean(single.map((outcome) => (outcome === undefined ? 0 : 1))),
      best_single_where_it_speaks: where(speaks)(single),
      combined_where_best_speaks: over("combined", where(speaks)),
      combined_where_best_is_silent: over(
        "combined",
        where((at) => !speaks(at)),
      ),
      combined_with_coin: over("combined", withCoin),
      best_single_with_coin: withCoin(single),
      gain_over_coin_95_low: gainOverCoin.low,
      gain_over_coin_95_high: gainOverCoin.high,
      chosen_single_accuracy: over("chosen_single", shareRight),
      majority_accuracy: over("majority", shareRight),
      by_record_accuracy: over("by_record", shareRight),
      combined_without_lead_accuracy: over("combined_without_lead", shareRight),
      pairs_with_one_judge: alone.length,
      all_pairs_combined_accuracy: onAll(combined),
      all_pairs_best_single_accuracy: onAll(bestAccuracy),
    },
  };
}

/** 95 % of the means of resampled values. */
function interval(values: readonly number[], resamples: number, random: () => number): { low: number; high: number } {
  const means = Array.from({ length: resamples }, () => mean(values.map(() => values[Math.floor(random() * values.length)] ?? 0))).sort(
    (a, b) => a - b,
  );
  return { low: means[Math.floor(resamples * 0.025)] ?? 0, high: means[Math.ceil(resamples * 0.975) - 1] ?? 0 };
}

const pick = <T>(values: readonly T[], at: readonly number[]): T[] => at.flatMap((index) => values[index] ?? []);

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const mixed = [...values];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}

/** Mulberry32, public domain: small, and the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
