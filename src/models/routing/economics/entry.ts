import type { About, Candidate, Entry, GateQuality, RankedEntry } from "./contract.ts";
import { ASSUMED_LOADING, nodeWeights, ratesByDifficulty } from "./difficulty.ts";
import type { Answers, Outcomes } from "./outcomes.ts";
import { bestOfTiers, type Rates } from "./rates.ts";

/** Entries whose waterfall ends with a wrong result this much more often than another are no saving, where the gate was measured: their price is in the results. */
const WORTH_LESS = 0.02;
/** Costs within this of each other are equal terms: the lower tier is taken. */
const EQUAL = 0.01;

/** So many different questions are answered again when the ledger is learnt anew. */
const MOST_ASKED = 128;

type Rung = Rates & { microUsd: number };

/**
 * With which tier a waterfall should begin: the lowest expected cost per right result, of the whole way up from there. A cheap tier that is
 * refused often costs its attempt on top of the next one's; a gate that lets wrong results through ends the way too soon, with nothing to show.
 * `tiers` are all tiers, cheapest first. What a refusal says of the next tier comes from the common difficulty (difficulty.ts), at its assumed
 * loading; `planCascade` learns that too, and takes longer.
 *
 * Meant for every decision: what it answered for equal candidates is remembered until the ledger is learnt anew, and then asked again.
 */
export function entryTier(
  candidates: readonly Candidate[],
  tiers: readonly string[],
  outcomes: Outcomes,
  gate: GateQuality,
  about?: About,
): Entry | undefined {
  const known = answersFor(candidates, outcomes);
  const key = `${about?.type} ${about?.complexity} ${gate.falseAccept} ${gate.falseRefuse} ${gate.isAssumed} ${tiers.join(" ")}`;
  if (known.byQuestion.has(key)) return known.byQuestion.get(key);
  const entry = begin(candidates, tiers, outcomes, gate, about);
  known.byQuestion.set(key, entry);
  if (outcomes.asked.length >= MOST_ASKED) outcomes.asked.shift();
  outcomes.asked.push((later) => entryTier(known.candidates, tiers, later, gate, about));
  return entry;
}

/** So many sets of candidates are remembered: what capabilities a step asks for makes a few. */
const MOST_SETS = 16;

function answersFor(candidates: readonly Candidate[], { entries }: Outcomes): Answers {
  const known = entries.find((e) => isSame(e.candidates, candidates));
  if (known) return known;
  if (entries.length >= MOST_SETS) entries.shift();
  const answers: Answers = { candidates: [...candidates], byQuestion: new Map() };
  entries.push(answers);
  return answers;
}

function isSame(a: readonly Candidate[], b: readonly Candidate[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x !== y && (x?.id !== y?.id || x?.tier !== y?.tier || x?.listMicroUsd !== y?.listMicroUsd)) return false;
  }
  return true;
}

function begin(
  candidates: readonly Candidate[],
  tiers: readonly string[],
  outcomes: Outcomes,
  gate: GateQuality,
  about?: About,
): Entry | undefined {
  const rungs = bestOfTiers(candidates, tiers, outcomes.basis, gate, about);
  if (rungs.length === 0) return undefined;
  const ranked = rungs.map((_, from) => rank(rungs.slice(from), gate));
  // What is only assumed of a gate is no evidence against a cheap tier.
  const most = gate.isAssumed ? Number.POSITIVE_INFINITY : Math.min(...ranked.map((r) => r.wrong)) + WORTH_LESS;
  const worthIt = ranked.filter((r) => r.wrong <= most);
  const least = Math.min(...worthIt.map((r) => r.microUsdPerRight));
  // From the lowest tier up: on equal terms the lower one is found first.
  const chosen = worthIt.find((r) => r.microUsdPerRight <= least * (1 + EQUAL)) ?? ranked[0];
  if (!chosen) return undefined;
  const others = ranked.filter((r) => r !== chosen).sort((a, b) => a.microUsdPerRight - b.microUsdPerRight);
  const isLearnt = rungs.some((r) => r.attempts > 0);
  return {
    agent: chosen.agent,
    tier: chosen.tier,
    ranking: [chosen, ...others],
    isLearnt,
    get reasons() {
      return reasons(chosen, others, most, gate);
    },
  };
}

function rank(rungs: readonly Rung[], gate: GateQuality): RankedEntry {
  const reached = Float64Array.from(nodeWeights);
  let [right, wrong, microUsd] = [0, 0, 0];
  for (const best of rungs) {
    const rates = ratesByDifficulty(best.rate, ASSUMED_LOADING, scratch);
    for (let q = 0; q < reached.length; q++) {
      const [m, p] = [reached[q] ?? 0, rates[q] ?? 0];
      microUsd += m * best.microUsd;
      right += m * p * (1 - gate.falseRefuse);
      wrong += m * (1 - p) * gate.falseAccept;
      reached[q] = m * (p * gate.falseRefuse + (1 - p) * (1 - gate.falseAccept));
    }
  }
  const first = rungs[0];
  const rate = first?.rate ?? 0;
  const accepts = rate * (1 - gate.falseRefuse) + (1 - rate) * gate.falseAccept;
  const error = first ? Math.sqrt((rate * (1 - rate)) / (first.a + first.b + 1)) * Math.abs(1 - gate.falseRefuse - gate.falseAccept) : 0.5;
  return {
    agent: first?.candidate.id ?? "",
    tier: first?.candidate.tier ?? "",
    microUsdPerRight: right <= 0 ? Number.POSITIVE_INFINITY : microUsd / right,
    microUsd: Math.round(microUsd),
    right,
    wrong,
    acceptance: { mean: accepts, low: Math.max(0, accepts - 1.96 * error), high: Math.min(1, accepts + 1.96 * error) },
    attempts: first?.attempts ?? 0,
    isMeasured: rungs.every((r) => r.attempts >= 1),
  };
}

/** Reused: nothing of it outlives a call of `rank`. */
const scratch = new Float64Array(nodeWeights.length);

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const dollars = (microUsd: number): string => (Number.isFinite(microUsd) ? `$${(microUsd / 1e6).toFixed(4)}` : "no bound");

/** What was not measured is no figure: where an agent on the way up has no attempt of its own, the price list has only put the tiers in an order. */
const costFrom = (r: RankedEntry): string =>
  r.isMeasured
    ? `${dollars(r.microUsdPerRight)} for a right result from there up`
    : "what a right result costs from there up is not measured yet, and the price list decides";

function reasons(chosen: RankedEntry, others: readonly RankedEntry[], mostWrong: number, gate: GateQuality): string[] {
  const { low, high, mean } = chosen.acceptance;
  const known =
    chosen.attempts >= 1
      ? `learnt from ${Math.round(chosen.attempts)} attempts that count here: accepted ${percent(mean)} (95 % interval ${percent(low)} to ${percent(high)})`
      : "no attempt of it is known yet: it is taken to be right as often as not";
  return [
    `${chosen.tier} (${chosen.agent}) begins: ${costFrom(chosen)}; ${known}`,
    ...others.map((r) =>
      r.wrong > mostWrong
        ? `${r.tier} (${r.agent}) does not: the gate would let through too many wrong results, ${percent(r.wrong)} of steps would end with one instead of ${percent(mostWrong - WORTH_LESS)}`
        : `${r.tier} (${r.agent}): ${costFrom(r)}`,
    ),
    `the gate ${gate.isAssumed ? "is assumed to accept" : "accepts"} ${percent(gate.falseAccept)} of wrong results${gate.isAssumed ? ", since too few of its verdicts are known to be true or false" : ""}`,
  ];
}
