import type { Criterion, Rubric } from "./contract.ts";
import type { Weighing } from "./weighing.ts";

/** Score and reason by criterion, as a judge gave them in one order of the criteria. */
export type Scores = ReadonlyMap<string, { score: number; reason: string }>;

/** A judge's two readings. `undefined`: no usable answer in that order. */
export interface TwoReadings {
  asWritten: Scores | undefined;
  reversed: Scores | undefined;
}

export type Stand = "accept" | "refuse" | "undecided";

export interface CriterionStand {
  stand: Stand;
  /** Mean of its scores, where it gave any. */
  score?: number;
  /** Why it is undecided. */
  because?: string;
}

const defaultPassAt = 7;
const defaultMargin = 0.5;

export const passAtOf = (criterion: Criterion, rubric: Rubric): number => criterion.passAt ?? rubric.passAt ?? defaultPassAt;

/** Where one judge stands on one criterion: both readings must put it on the same side of `passAt`, and clearly. */
export function standOf({ asWritten, reversed }: TwoReadings, criterion: Criterion, rubric: Rubric): CriterionStand {
  const given = [asWritten, reversed].flatMap((scores) => scores?.get(criterion.id)?.score ?? []);
  const [a, b] = given;
  if (a === undefined) return { stand: "undecided", because: "it gave no usable answer" };
  if (b === undefined) return { stand: "undecided", score: a, because: "it gave a usable answer in one order only" };
  const score = (a + b) / 2;
  const passAt = passAtOf(criterion, rubric);
  if (a >= passAt !== b >= passAt)
    return { stand: "undecided", score, because: `it said ${a} of 10 in one order and ${b} in the other, and ${passAt} is needed` };
  const margin = rubric.margin ?? defaultMargin;
  const isClear = score >= passAt ? score - passAt + TINY >= margin : passAt - score + TINY >= margin;
  if (!isClear) return { stand: "undecided", score, because: `${score} of 10 is too close to the ${passAt} that are needed` };
  return { stand: score >= passAt ? "accept" : "refuse", score };
}

/**
 * What several judges make of one criterion: the side that holds at least `agreement` of all their weight. Who is undecided is on neither side
 * and still counts, so silence never helps a candidate.
 */
export function settleCriterion(stands: ReadonlyMap<string, Stand>, weighing: Weighing, agreement: number): Stand {
  const on: Record<Stand, number> = { accept: 0, refuse: 0, undecided: 0 };
  for (const [judge, stand] of stands) on[stand] += weighing.weightOf(judge);
  const needed = agreement * (on.accept + on.refuse + on.undecided) - TINY;
  if (on.accept > on.refuse + TINY && on.accept >= needed) return "accept";
  if (on.refuse > on.accept + TINY && on.refuse >= needed) return "refuse";
  return "undecided";
}

/** A rubric is met when every criterion is; one that is refused refuses it, whatever the others are. */
export function settleRubric(criteria: readonly Stand[]): Stand {
  if (criteria.includes("refuse")) return "refuse";
  return criteria.length > 0 && criteria.every((stand) => stand === "accept") ? "accept" : "undecided";
}

/** Means of scores such as 7.3 and 7.7 are not exact. */
const TINY = 1e-9;
