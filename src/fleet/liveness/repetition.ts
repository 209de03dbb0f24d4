/** Tool calls as tokens: equal tokens are equal calls with equal results. `undefined` is a boundary: something changed there. */
export type Token = string | undefined;

export interface Loop {
  /** 1: one call again and again; 2 or 3: calls that go round in a circle. */
  period: number;
  /** Whole rounds at the end of the list. */
  rounds: number;
  /** How far it is on its way to count as stuck: 1 it does. */
  share: number;
  /** The calls of one round, in order. */
  round: readonly string[];
}

const LONGEST_PERIOD = 3;
/** Twice the same pair of calls happens to anybody; a circle is one from the third round on. */
const LEAST_ROUNDS = 3;

/** The loop at the end of the list that is furthest on its way to be one of `repeats` calls, the shortest period first among equals. */
export function loopAtEnd(tokens: readonly Token[], repeats: number): Loop | undefined {
  let best: Loop | undefined;
  for (let period = 1; period <= LONGEST_PERIOD; period++) {
    let same = 0;
    while (same + period < tokens.length) {
      const at = tokens.length - 1 - same;
      if (tokens[at] === undefined || tokens[at] !== tokens[at - period]) break;
      same += 1;
    }
    const rounds = Math.floor(same / period) + 1;
    if (rounds < 2) continue;
    const share = Math.min(1, rounds / roundsFor(period, repeats));
    if (!best || share > best.share) best = { period, rounds, share, round: tokens.slice(-period).filter((t) => t !== undefined) };
  }
  return best;
}

/** Rounds that make a loop of this period `repeats` calls long, and three at least. */
const roundsFor = (period: number, repeats: number): number => Math.max(LEAST_ROUNDS, Math.ceil(repeats / period));

/**
 * Share of calls in runs of `n` that repeat an earlier run: 1 - distinct / all n-grams, as repetition of generated text is measured (seq-rep-n
 * in Welleck et al., "Neural Text Generation with Unlikelihood Training", 2019). `undefined` when there are none.
 */
export function repeatedShare(tokens: readonly Token[], n: number): number | undefined {
  const grams: string[] = [];
  for (let at = 0; at + n <= tokens.length; at++) {
    const gram = tokens.slice(at, at + n);
    if (!gram.includes(undefined)) grams.push(JSON.stringify(gram));
  }
  return grams.length === 0 ? undefined : 1 - new Set(grams).size / grams.length;
}
