import type { About, Candidate, GateQuality } from "./contract.ts";
import { ASSUMED_LOADING, fitLoading, ratesByDifficulty, type PairCounts } from "./difficulty.ts";
import { relevance, type Outcomes } from "./outcomes.ts";
import { ratesOf, rightGiven, type Rates } from "./rates.ts";

/** What is known of some agents, laid out for weighing many plans over the same work. */
export interface Columns {
  rates: readonly KnownRates[];
  /** How much each piece of work says about the step asked. */
  weights: Float64Array;
  /** P(right) of each agent's first attempt at each piece of work, as known; NaN where it made none. */
  right: readonly Float64Array[];
  /** What that attempt cost; NaN where it made none. */
  microUsd: readonly Float64Array[];
  loading: number;
  /** P(right) by difficulty. */
  byDifficulty: readonly Float64Array[];
  /** What a wrong attempt costs over what a right one costs. */
  wrongOverRight: number;
  /** How alike two attempts of one agent at the same work end: 0 not at all, 1 always the same way. */
  alike: number;
}

export type KnownRates = Rates & { microUsd: number };

/** A wrong attempt is assumed to cost so much more than a right one, until so many attempts of known outcome say otherwise. */
const ASSUMED_WRONG_OVER_RIGHT = { ratio: 1.3, strength: 10 };

/**
 * Two runs of one model on the same public coding tasks agree on 83 to 90 % of them, a correlation of 0.66 to 0.77. A second attempt is told
 * what the gate found, so the ledger's own second attempts soon count for more.
 */
const ASSUMED_ALIKE = { correlation: 0.7, strength: 20 };

/** More candidates than this are not put together into plans. */
const MOST = 12;

/** Of many candidates, those that a plan can use: cheap per right result, or right most often. Without a price an agent cannot be planned with. */
function shortlist(rates: readonly Rates[], always: readonly string[] = []): KnownRates[] {
  const known = rates.filter((r): r is KnownRates => r.microUsd !== undefined);
  if (known.length <= MOST) return known;
  const chosen = new Set<KnownRates>(known.filter((r) => always.includes(r.candidate.id)));
  const byPrice = [...known].sort((a, b) => a.microUsd / a.rate - b.microUsd / b.rate);
  const byRate = [...known].sort((a, b) => b.rate - a.rate || a.microUsd - b.microUsd);
  for (let i = 0; chosen.size < MOST && i < known.length; i++) {
    const [cheap, good] = [byPrice[i], byRate[i]];
    if (cheap) chosen.add(cheap);
    if (good && chosen.size < MOST) chosen.add(good);
  }
  return known.filter((r) => chosen.has(r));
}

export function columnsOf(
  candidates: readonly Candidate[],
  outcomes: Outcomes,
  gate: GateQuality,
  about?: About,
  always: readonly string[] = [],
): Columns {
  const rates = shortlist(ratesOf(candidates, outcomes.basis, gate, about), always);
  const index = new Map(rates.map((r, i) => [r.candidate.id, i]));
  const works = outcomes.basis.works;
  const weights = Float64Array.from(works, (work) => relevance(about, work.type, work.complexity));
  const right = rates.map(() => new Float64Array(works.length).fill(Number.NaN));
  const microUsd = rates.map(() => new Float64Array(works.length).fill(Number.NaN));
  works.forEach((work, t) => {
    for (const row of work.attempts) {
      const at = index.get(row.agent);
      const [r, c] = [at === undefined ? undefined : right[at], at === undefined ? undefined : microUsd[at]];
      if (at === undefined || !r || !c || !Number.isNaN(r[t])) continue;
      if (row.right === undefined && row.accepted === undefined) continue;
      r[t] = row.right === undefined ? rightGiven(row.accepted === true, rates[at]?.rate ?? 0.5, gate) : Number(row.right);
      c[t] = row.microUsd ?? rates[at]?.microUsd ?? 0;
    }
  });
  const loading = works.length === 0 ? ASSUMED_LOADING : fitLoading(...pairsOf(rates, right));
  return {
    rates,
    weights,
    right,
    microUsd,
    loading,
    byDifficulty: rates.map((r) => ratesByDifficulty(r.rate, loading)),
    wrongOverRight: dearness(right, microUsd),
    alike: alikeness(rates, outcomes, gate),
  };
}

function pairsOf(rates: readonly Rates[], right: readonly Float64Array[]): [pairs: PairCounts[], works: number] {
  const pairs: PairCounts[] = [];
  let most = 0;
  for (let a = 0; a < rates.length; a++) {
    for (let b = a + 1; b < rates.length; b++) {
      const [ra, rb] = [right[a] ?? [], right[b] ?? []];
      const pair = { rates: [rates[a]?.rate ?? 0.5, rates[b]?.rate ?? 0.5] as const, both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
      let seen = 0;
      for (let t = 0; t < ra.length; t++) {
        const [x, y] = [ra[t] ?? Number.NaN, rb[t] ?? Number.NaN];
        if (Number.isNaN(x) || Number.isNaN(y)) continue;
        pair.both += x * y;
        pair.onlyFirst += x * (1 - y);
        pair.onlySecond += (1 - x) * y;
        pair.neither += (1 - x) * (1 - y);
        seen++;
      }
      if (seen > 0) pairs.push(pair);
      most = Math.max(most, seen);
    }
  }
  return [pairs, most];
}

function dearness(right: readonly Float64Array[], microUsd: readonly Float64Array[]): number {
  let [log, seen] = [Math.log(ASSUMED_WRONG_OVER_RIGHT.ratio) * ASSUMED_WRONG_OVER_RIGHT.strength, ASSUMED_WRONG_OVER_RIGHT.strength];
  right.forEach((r, i) => {
    let [rights, wrongs, rightCost, wrongCost] = [0, 0, 0, 0];
    for (let t = 0; t < r.length; t++) {
      const [y, c] = [r[t] ?? Number.NaN, microUsd[i]?.[t] ?? Number.NaN];
      if (Number.isNaN(y)) continue;
      rights += y;
      wrongs += 1 - y;
      rightCost += y * c;
      wrongCost += (1 - y) * c;
    }
    const enough = Math.min(rights, wrongs);
    if (enough < 1 || rightCost <= 0 || wrongCost <= 0) return;
    log += enough * Math.log(wrongCost / wrongs / (rightCost / rights));
    seen += enough;
  });
  return Math.exp(log / seen);
}

/** After a wrong attempt, another of the same agent is right at `rate * (1 - correlation)` (Beta-binomial); so the correlation is what is missing. */
function alikeness(rates: readonly KnownRates[], outcomes: Outcomes, gate: GateQuality): number {
  const byId = new Map(rates.map((r) => [r.candidate.id, r.rate]));
  const assumed = ASSUMED_ALIKE.strength * 0.5;
  let [found, expected] = [assumed * (1 - ASSUMED_ALIKE.correlation), assumed];
  for (const { attempts } of outcomes.basis.works) {
    for (const [n, row] of attempts.entries()) {
      const before = attempts.slice(0, n).findLast((r) => r.agent === row.agent);
      const rate = byId.get(row.agent);
      if (!before || rate === undefined || (row.right ?? row.accepted) === undefined) continue;
      const wasWrong = 1 - (before.right === undefined ? rightGiven(before.accepted === true, rate, gate) : Number(before.right));
      found += wasWrong * (row.right === undefined ? rightGiven(row.accepted === true, rate, gate) : Number(row.right));
      expected += wasWrong * rate;
    }
  }
  return Math.min(1, Math.max(0, 1 - found / expected));
}
