import type { Finding, MicroUsd } from "../../domain/index.ts";

/** How often a judge was right, by what became known later. Where it said nothing it was neither. */
export interface JudgeRecord {
  right: number;
  wrong: number;
}

/** One who is asked: an id for `ask`, and what is known of its word. */
export interface Judge {
  id: string;
  /** Absent: nothing is known, and it counts as the prior says (see weighing.ts). */
  record?: JudgeRecord | undefined;
}

export interface JudgeQuestion {
  /** The judge's id. */
  judge: string;
  system: string;
  user: string;
  maxOutputTokens: number;
  signal: AbortSignal;
}

export interface JudgeAnswer {
  text: string;
  /** What the call cost. Absent: not known here; the gateway's bill has it. */
  microUsd?: MicroUsd | undefined;
  /** The answer was cut at its output limit, so that its last figure may be half of one. */
  isCut?: true | undefined;
}

/**
 * Asks a model one question. Rejects with a JudgeError (`JUDGE_BUDGET` ends the whole judging, any other rejection only makes this judge
 * abstain), and when `signal` aborts.
 */
export type Ask = (question: JudgeQuestion) => Promise<JudgeAnswer>;

export interface Criterion {
  /** A short word, unique in its rubric. */
  id: string;
  /** What is looked for, as a sentence for the judge. */
  text: string;
  /** The lowest accepted score for this one. Absent: the rubric's. */
  passAt?: number | undefined;
}

export interface Rubric {
  criteria: readonly [Criterion, ...Criterion[]];
  /** The lowest accepted score, 0..10. Default 7. */
  passAt?: number | undefined;
  /** A score closer than this to `passAt` says nothing. Default 0.5, so 7 of 10 in one order and 8 in the other is just enough. */
  margin?: number | undefined;
}

/** The work that is judged. All of it is untrusted data to the judge. */
export interface Candidate {
  /** The step's prompt: what was asked for. */
  prompt: string;
  diff: string;
  /** Whole files, where a diff does not show enough. */
  files?: readonly { path: string; text: string }[] | undefined;
}

/** What both entry points are handed. */
export interface JudgingOptions {
  /** Cheap ones, each asked twice. Ids are unique, the stronger judge's too. */
  judges: readonly [Judge, ...Judge[]];
  /** Asked only where the judges do not settle it; then its word counts. */
  stronger?: Judge | undefined;
  ask: Ask;
  /** A word no candidate can foresee, such as a random UUID: it marks where untrusted text begins and ends. */
  fence: string;
  signal: AbortSignal;
  /** Milliseconds, from a clock. */
  now: () => number;
  /** Share of the judges' weight that must say the same; who abstains says nothing and counts. Default 2/3: with three alike, two. */
  agreement?: number | undefined;
  /** Most characters of untrusted text in one question. Default 60,000. What is cut is told to the judge and in the evidence. */
  maxChars?: number | undefined;
  /** Of one answer, what a model thinks to itself included. Default 4,000. */
  maxOutputTokens?: number | undefined;
}

/** What the calls cost, as far as `ask` knew. */
export interface JudgingCost {
  calls: number;
  /** Sum of those calls whose cost is known. */
  microUsd: MicroUsd;
  /** Calls whose cost is not known here, failed ones among them. */
  unpricedCalls: number;
  durationMs: number;
}

export interface JudgeGateRequest extends JudgingOptions {
  /** The gate's name, for its findings. */
  name: string;
  rubric: Rubric;
  candidate: Candidate;
}

/** Where one judge stood on the whole rubric: kept, its record can be told later, when the truth is known (`withTruth`). */
export interface JudgeWord {
  judge: string;
  isStronger: boolean;
  stand: "accept" | "refuse" | "undecided";
}

export type JudgeGateOutcome = JudgingCost & { words: JudgeWord[] } & (
    | { verdict: "passed"; findings: []; evidence: string }
    /** Also where nobody settled it: a judge gate never accepts by default. */
    | { verdict: "refused"; findings: [Finding, ...Finding[]]; evidence: string }
    /** No judge could be heard, or too few to settle it because a provider failed; or the budget ended. */
    | { verdict: "errored"; because: "budget" | "no-answer"; message: string; findings: []; evidence: string }
    | { verdict: "aborted"; findings: []; evidence: string }
  );

export interface BestOfCandidate extends Omit<Candidate, "prompt"> {
  id: string;
}

export interface BestOfRequest extends JudgingOptions {
  /** What was asked for; untrusted like the rest. */
  prompt: string;
  /** What makes one better, as a sentence. Absent: correctness, then completeness, then simplicity. */
  rubric?: string | undefined;
  /** Those that passed their gates, in the order to prefer where judges see no difference (the cheapest first). Ids are unique. */
  candidates: readonly [BestOfCandidate, ...BestOfCandidate[]];
  /** Most pairs compared with each other, at least one less than there are candidates. Default 6: all pairs of four; more are a knockout. */
  maxPairs?: number | undefined;
}

/** How one pair came out. */
export interface PairReason {
  first: string;
  second: string;
  /** Absent: undecided. */
  better?: string;
  by: "judges" | "stronger" | "same" | "nobody";
  /** By judge, from 1 (for `first`) to -1: kept, judges' weights can be learnt later (`learnWeighing`). */
  leans: Record<string, number>;
  /** Each judge's word and why, shortened. */
  said: string;
}

export type BestOfOutcome = JudgingCost &
  (
    | {
        /** `decided` is false where the judges left several level: `picked` is then the first of these in the order given. */
        kind: "picked";
        picked: string;
        decided: boolean;
        reasons: PairReason[];
      }
    | { kind: "errored"; because: "budget" | "no-answer"; message: string; reasons: PairReason[] }
    | { kind: "aborted"; reasons: PairReason[] }
  );
