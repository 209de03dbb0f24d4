import { Consultation, defaultAgreement, defaultMaxChars, type Heard } from "./consult.ts";
import type { BestOfCandidate, BestOfOutcome, BestOfRequest, Judge, PairReason } from "./contract.ts";
import { JudgeError } from "./errors.ts";
import { decidePair, leanOf } from "./pairs.ts";
import { comparingSystem, comparingUser } from "./prompts.ts";
import { readComparison, type PairAnswer } from "./read-answer.ts";
import { shortened, showAsked, showWork, withNote } from "./untrusted.ts";
import { weighByRecord } from "./weighing.ts";

const MAX_PAIRS = 6;

/**
 * Picks the best of candidates that passed their gates. Every pair is compared by every judge in both orders; a win is a point and an
 * undecided pair half a one. With more pairs than `maxPairs` they meet one after the other instead, and who is not beaten stays. A tie at the
 * top goes to the stronger judge, and then to the first in the order given.
 *
 * Throws a JudgeError (`JUDGE_REQUEST`) only for a request that makes no sense.
 */
export async function pickBest(request: BestOfRequest): Promise<BestOfOutcome> {
  const { candidates, maxPairs = MAX_PAIRS } = request;
  const ids = candidates.map((candidate) => candidate.id);
  if (new Set(ids).size < ids.length)
    throw new JudgeError("JUDGE_REQUEST", "two candidates have the same id", "Give every candidate an id of its own.");
  if (candidates.length - 1 > maxPairs)
    throw new JudgeError(
      "JUDGE_REQUEST",
      `${maxPairs} pairs are too few to compare ${candidates.length} candidates`,
      "Raise maxPairs, or let gates leave fewer of them.",
    );
  const match = new Match(request);
  const isSmall = (candidates.length * (candidates.length - 1)) / 2 <= maxPairs;
  const { leaders, reasons } = await (isSmall ? allPairs(match, candidates) : oneByOne(match, candidates));
  const { consultation } = match;
  const { cost } = consultation;
  if (consultation.isAborted) return { kind: "aborted", reasons, ...cost };
  if (consultation.budget !== undefined) return { kind: "errored", because: "budget", message: consultation.budget, reasons, ...cost };
  if (cost.calls > 0 && consultation.isUnheard)
    return { kind: "errored", because: "no-answer", message: reasons.map((r) => r.said).join("; "), reasons, ...cost };
  const [picked] = leaders;
  return { kind: "picked", picked: picked.id, decided: leaders.every((other) => sameWork(other, picked)), reasons, ...cost };
}

type Some = readonly [BestOfCandidate, ...BestOfCandidate[]];

interface Standings {
  /** More than one: nobody told them apart. In the order given, but for a knockout, where the one left standing comes first. */
  leaders: Some;
  reasons: PairReason[];
}

async function allPairs(match: Match, candidates: Some): Promise<Standings> {
  const reasons: PairReason[] = [];
  for (const [at, first] of candidates.entries())
    for (const second of candidates.slice(at + 1)) reasons.push(await match.compare(first, second));
  const tied = mostPoints(candidates, reasons);
  if (tied.length === 1 || !match.hasStronger) return { leaders: tied, reasons };
  // Judges may go round in a circle. The stronger one then compares those at the top, where it was not asked before.
  const ids = tied.map(({ id }) => id);
  const isAmong = (reason: PairReason): boolean => ids.includes(reason.first) && ids.includes(reason.second);
  for (const [at, reason] of reasons.entries()) {
    if (reason.by !== "judges" || !isAmong(reason)) continue;
    const [first, second] = [reason.first, reason.second].map((id) => tied.find((one) => one.id === id));
    if (!first || !second) continue;
    const again = await match.compareByStronger(first, second, reason);
    // Where it has no word, theirs stands.
    reasons[at] = again.by === "stronger" ? again : { ...reason, leans: again.leans, said: again.said };
  }
  return { leaders: mostPoints(tied, reasons.filter(isAmong)), reasons };
}

function mostPoints(candidates: Some, reasons: readonly PairReason[]): Some {
  const points = ({ id }: BestOfCandidate): number =>
    reasons
      .filter((r) => r.first === id || r.second === id)
      .reduce((sum, { better }) => sum + (better === undefined ? 0.5 : better === id ? 1 : 0), 0);
  const most = Math.max(...candidates.map(points));
  const [first, ...rest] = candidates.filter((candidate) => points(candidate) === most);
  return first ? [first, ...rest] : candidates;
}

/** Who is left standing beat all it met, but for those it is not told apart from. */
async function oneByOne(match: Match, [first, ...others]: Some): Promise<Standings> {
  const reasons: PairReason[] = [];
  let leaders: Some = [first];
  for (const other of others) {
    const [standing, ...level] = leaders;
    const reason = await match.compare(standing, other);
    reasons.push(reason);
    if (reason.better === other.id) leaders = [other];
    else if (reason.better === undefined) leaders = [standing, ...level, other];
  }
  return { leaders, reasons };
}

/** Compares two, and keeps what it took. */
class Match {
  readonly consultation: Consultation;
  readonly #request: BestOfRequest;
  constructor(request: BestOfRequest) {
    this.#request = request;
    this.consultation = new Consultation(request);
  }

  get hasStronger(): boolean {
    return this.#request.stronger !== undefined;
  }

  async compare(first: BestOfCandidate, second: BestOfCandidate): Promise<PairReason> {
    const pair = { first: first.id, second: second.id };
    if (sameWork(first, second)) return { ...pair, by: "same", leans: {}, said: "the same work" };
    const { judges, agreement = defaultAgreement } = this.#request;
    const heard = await Promise.all(judges.map((judge) => this.#hear(judge, first, second)));
    const leans = new Map(heard.map(({ judge, lean }) => [judge.id, lean]));
    const { better } = decidePair(leans, { weighing: weighByRecord(judges), agreement });
    const said = heard.map((one) => one.said).join("; ");
    if (better !== undefined) return { ...pair, better: pair[better], by: "judges", leans: Object.fromEntries(leans), said };
    return this.compareByStronger(first, second, { leans: Object.fromEntries(leans), said });
  }

  /** `before`: what the others said. */
  async compareByStronger(
    first: BestOfCandidate,
    second: BestOfCandidate,
    before: Pick<PairReason, "leans" | "said">,
  ): Promise<PairReason> {
    const pair = { first: first.id, second: second.id };
    const { stronger } = this.#request;
    if (!stronger) return { ...pair, by: "nobody", ...before };
    const { lean, said } = await this.#hear(stronger, first, second);
    const both = { leans: { ...before.leans, [stronger.id]: lean }, said: `${before.said}; ${said}` };
    if (lean === 0) return { ...pair, by: "nobody", ...both };
    return { ...pair, better: lean > 0 ? first.id : second.id, by: "stronger", ...both };
  }

  async #hear(judge: Judge, first: BestOfCandidate, second: BestOfCandidate): Promise<{ judge: Judge; lean: number; said: string }> {
    const { prompt, fence, rubric, maxChars = defaultMaxChars } = this.#request;
    const asked = withNote(showAsked(prompt, fence, Math.floor(maxChars / 5)));
    // Both get the same room, whatever the other takes.
    const show = (candidate: BestOfCandidate): string => withNote(showWork(candidate, fence, Math.floor((maxChars * 2) / 5)));
    const ask = (one: BestOfCandidate, other: BestOfCandidate): Promise<Heard<PairAnswer>> =>
      this.consultation.hear(
        judge,
        { system: comparingSystem(fence, rubric), user: comparingUser(asked, show(one), show(other)) },
        readComparison,
      );
    const [asShown, swapped] = await Promise.all([ask(first, second), ask(second, first)]);
    return {
      judge,
      lean: leanOf(wordOf(asShown), wordOf(swapped)),
      said: `${judge.id}: ${told(asShown, first.id, second.id)}, swapped ${told(swapped, second.id, first.id)}`,
    };
  }
}

const wordOf = (heard: Heard<PairAnswer>): PairAnswer["word"] | undefined => (heard.kind === "answer" ? heard.value.word : undefined);

function told(heard: Heard<PairAnswer>, one: string, other: string): string {
  if (heard.kind !== "answer") return heard.problem;
  const { word, reason } = heard.value;
  return `${word === "tie" ? "neither" : word === "first" ? one : other} (${shortened(reason, 200)})`;
}

const sameWork = (a: BestOfCandidate, b: BestOfCandidate): boolean =>
  a.diff === b.diff && JSON.stringify(a.files ?? []) === JSON.stringify(b.files ?? []);
