import type { MicroUsd } from "../../../domain/index.ts";

/** One attempt, as the ledger and the journal know it. It needs a verdict or a truth to teach anything about acceptance; its cost, where it is known, always counts. */
export interface OutcomeRow {
  /** What makes attempts comparable: attempts at one step of one run share it. How two agents' outcomes hang together is learnt from it. */
  work: string;
  /** Of the step: `stepTypeOf`. */
  type: string;
  /** 1-10: `scoreComplexity`. */
  complexity: number;
  agent: string;
  tier: string;
  /** The gate's verdict. Absent: it was not judged. */
  accepted?: boolean | undefined;
  /** Whether it was right, where that became known later: a person's feedback, a revert, a full test run. It outweighs the verdict. */
  right?: boolean | undefined;
  /** Absent: nobody knows. It teaches of acceptance then, and nothing of costs. */
  microUsd?: MicroUsd | undefined;
  ms: number;
}

/** Judged results whose truth became known, counted. */
export interface GateCounts {
  /** Wrong results that were judged, and how many of them the gate accepted. */
  wrong: number;
  wrongAccepted: number;
  /** Right results that were judged, and how many of them the gate refused. */
  right: number;
  rightRefused: number;
}

/** How well a gate tells right from wrong. */
export interface GateQuality {
  /** P(accepted | wrong). */
  falseAccept: number;
  /** P(refused | right). */
  falseRefuse: number;
  falseAcceptInterval: Interval;
  falseRefuseInterval: Interval;
  counts: GateCounts;
  /** Too little was counted: the figures are mostly the prior's. */
  isAssumed: boolean;
}

/** Of 95 % unless it says otherwise. */
export interface Interval {
  low: number;
  high: number;
}

/** An agent that may do a step. */
export interface Candidate {
  id: string;
  tier: string;
  /** What an attempt is expected to cost by the price list; used as one observation, so it fades as the ledger grows. 0: it costs nothing. */
  listMicroUsd?: number | undefined;
}

/** What a step is like, as far as outcomes depend on it. */
export interface About {
  type: string;
  complexity: number;
}

/**
 * `best-within`: the most right results for no more than `microUsd` a step; absent, for what `reference` costs.
 * `cheapest`: the cheapest way to be right as often as `reference`.
 * `reference` is the agent that would be used otherwise. Absent: `best-within` takes the cheapest within a point of the best, `cheapest` the best.
 */
export type Objective =
  | { kind: "best-within"; microUsd?: MicroUsd | undefined; reference?: string | undefined }
  | { kind: "cheapest"; reference?: string | undefined };

/** One estimate with its interval. */
export interface Estimate extends Interval {
  mean: number;
}

/** A sequence of agents: the next one tries when the gate refused the one before. */
export interface CascadePart {
  /** Of the steps, 0-1. */
  share: number;
  agents: readonly string[];
}

export interface Expected {
  microUsd: Estimate;
  /** Share of steps that end with a right result. */
  right: Estimate;
  /** Share of steps that end with a wrong result that was taken for right. The others are left undone, every attempt refused. */
  wrong: number;
}

export interface SingleExpected extends Expected {
  agent: string;
  tier: string;
  /** Attempts behind it, less what counts for less since it is of another type or complexity. */
  attempts: number;
}

export interface CascadePlan {
  /** `unknown`: too little is known to say; `parts` then holds the reference alone. */
  verdict: "cascade" | "single" | "unknown";
  parts: readonly CascadePart[];
  expected: Expected;
  /** Against the reference, on the same work. */
  gain: { right: Estimate; microUsd: Estimate };
  reference: string;
  /** Every candidate alone, the cheapest per right result first. */
  singles: readonly SingleExpected[];
  /** Sentences for people. */
  reasons: readonly string[];
  /** Pieces of work on which all agents of the plan and the reference were seen. */
  jointWork: number;
}

export interface RankedEntry {
  agent: string;
  tier: string;
  /** Expected cost of the waterfall from here up, over the share of steps it ends rightly. */
  microUsdPerRight: number;
  /** Expected cost of the waterfall from here up. */
  microUsd: number;
  /** Shares of steps that the waterfall ends with a right result, and with a wrong one that a gate accepted. On the others all were refused. */
  right: number;
  wrong: number;
  /** Of this agent's own attempt. */
  acceptance: Estimate;
  attempts: number;
  /** Every agent from here up has attempts of its own: the costs are of the ledger, and not of a price list alone. */
  isMeasured: boolean;
}

export interface Entry {
  agent: string;
  tier: string;
  /** One for each tier, the best agent of it; the chosen one first. */
  ranking: readonly RankedEntry[];
  /** False: no outcome of these agents is known, and the ranking is that of the price list. */
  isLearnt: boolean;
  reasons: readonly string[];
}
