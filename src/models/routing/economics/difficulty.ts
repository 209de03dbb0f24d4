/**
 * How outcomes of different agents on the same work hang together, where the ledger does not say it pair by pair: a hard piece of work is
 * hard for all. One latent difficulty: P(agent a is right | d) = logistic(b_a - loading * d), with d standard normal over the pieces of work
 * (a Rasch model with one common discrimination; Rasch 1960, Bock and Aitkin 1981). Given d, agents err independently.
 */

/** A grid over difficulty, and its weights. */
const POINTS = 9;
const span = 2.4;
const nodes: readonly number[] = Array.from({ length: POINTS }, (_, i) => -span + (2 * span * i) / (POINTS - 1));
const density = nodes.map((d) => Math.exp((-d * d) / 2));
const mass = density.reduce((a, b) => a + b, 0);
export const nodeWeights: readonly number[] = density.map((d) => d / mass);

/**
 * The loading that is assumed before anything was seen together, and its spread. 2 means a correlation of about 0.4 to 0.5 between two
 * agents, which is what different models show on one set of public coding tasks.
 */
export const ASSUMED_LOADING = 2;
const LOADING_SPREAD = 0.75;
const LOADINGS = [0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4];

const clip = (p: number): number => Math.min(0.995, Math.max(0.005, p));

/**
 * P(right | d) at every node for an agent that is right at `rate` over all. The intercept is MacKay's approximation of the logistic-normal
 * integral (MacKay 1992, eq. 11): exact enough, and no search in a path that must take microseconds.
 */
export function ratesByDifficulty(rate: number, loading: number, into = new Float64Array(POINTS)): Float64Array {
  const p = clip(rate);
  const intercept = Math.log(p / (1 - p)) * Math.sqrt(1 + (Math.PI / 8) * loading * loading);
  for (let q = 0; q < POINTS; q++) into[q] = 1 / (1 + Math.exp(loading * (nodes[q] ?? 0) - intercept));
  return into;
}

/** How often two agents were right together, one of them, or neither, on the same work. */
export interface PairCounts {
  rates: readonly [number, number];
  both: number;
  onlyFirst: number;
  onlySecond: number;
  neither: number;
}

/**
 * The loading that makes the pairs most likely, by composite likelihood (Varin, Reid and Firth 2011): pairs that share work are not
 * independent, so their average counts as `works` observations, against the prior.
 */
export function fitLoading(pairs: readonly PairCounts[], works: number): number {
  const seen = pairs.reduce((n, p) => n + p.both + p.onlyFirst + p.onlySecond + p.neither, 0);
  if (seen === 0) return ASSUMED_LOADING;
  const weight = Math.min(works, seen) / seen;
  let best = { loading: ASSUMED_LOADING, score: Number.NEGATIVE_INFINITY };
  for (const loading of LOADINGS) {
    let score = -((loading - ASSUMED_LOADING) ** 2) / (2 * LOADING_SPREAD ** 2);
    for (const pair of pairs) {
      const [a, b] = [ratesByDifficulty(pair.rates[0], loading), ratesByDifficulty(pair.rates[1], loading)];
      let [both, first, second] = [0, 0, 0];
      for (let q = 0; q < POINTS; q++) {
        const [w, pa, pb] = [nodeWeights[q] ?? 0, a[q] ?? 0, b[q] ?? 0];
        both += w * pa * pb;
        first += w * pa * (1 - pb);
        second += w * (1 - pa) * pb;
      }
      const neither = Math.max(1e-9, 1 - both - first - second);
      const likely = (count: number, p: number): number => (count === 0 ? 0 : count * Math.log(p));
      score +=
        weight *
        (likely(pair.both, both) + likely(pair.onlyFirst, first) + likely(pair.onlySecond, second) + likely(pair.neither, neither));
    }
    if (score > best.score) best = { loading, score };
  }
  return best.loading;
}
