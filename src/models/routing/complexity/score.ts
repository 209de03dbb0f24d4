import { weightOf } from "./step-type.ts";

export interface ComplexityInput {
  /** `stepTypeOf`, or any word; one that is not known weighs as `other`. */
  type: string;
  /** Tokens the agent is given: prompt, and files put into it. */
  contextTokens: number;
  /** Files the step is expected to touch: its outputs and `touches`, counted. */
  files: number;
  /** How attempts at that kind of step ended so far. Nothing known: zeros. */
  history: { tries: number; accepted: number };
}

export interface Factor {
  name: "type" | "context" | "files" | "history";
  value: string;
  /** What it adds. The points of all factors, and 1, are the score before it is rounded and bounded. */
  points: number;
  because: string;
}

export interface Complexity {
  /** 1 (trivial) to 10. */
  score: number;
  factors: readonly Factor[];
}

/** Most points of each factor: together 9, so that the scale is used from end to end. */
const MOST = { type: 4, context: 2, files: 2, history: 2 };
/** From where context counts, and where it counts fully; between, by its logarithm. */
const CONTEXT = { from: 2_000, full: 100_000 };
const FILES = { from: 1, full: 20 };
/** A kind of step is taken to be accepted this often until these many tries say otherwise. */
const USUAL = { share: 0.7, tries: 4 };

/**
 * How hard a step is likely to be, 1-10, factor by factor. A rule of thumb that orders steps and explains itself; what a score means for an
 * agent is learnt from outcomes (economics/). On public coding tasks, length alone tells little of whether a model fails (AUC 0.53 to 0.64),
 * so no factor weighs more than the kind of work. Grows with context and files and with the share of refused tries.
 */
export function scoreComplexity({ type, contextTokens, files, history }: ComplexityInput): Complexity {
  const tries = Math.max(0, history.tries);
  const accepted = Math.min(tries, Math.max(0, history.accepted));
  const share = (accepted + USUAL.share * USUAL.tries) / (tries + USUAL.tries);
  // Neutral at the usual share: a kind that never fails takes a point off, one that always fails adds two.
  const fromHistory =
    share > USUAL.share ? -(share - USUAL.share) / (1 - USUAL.share) : (MOST.history * (USUAL.share - share)) / USUAL.share;
  const factors: Factor[] = [
    { name: "type", value: type, points: weightOf(type), because: `${type} steps weigh ${weightOf(type)} of ${MOST.type}` },
    {
      name: "context",
      value: `${Math.max(0, Math.round(contextTokens))} tokens`,
      points: MOST.context * scaled(contextTokens, CONTEXT),
      because: contextTokens <= CONTEXT.from ? "little to read" : "much to read makes it harder to find what matters",
    },
    {
      name: "files",
      value: `${Math.max(0, Math.round(files))}`,
      points: MOST.files * scaled(files, FILES),
      because: files <= FILES.from ? "one file at most" : "several files have to agree with each other",
    },
    {
      name: "history",
      value: tries === 0 ? "none" : `${accepted} of ${tries} accepted`,
      points: fromHistory,
      because:
        tries === 0
          ? "nothing is known of this kind yet"
          : share >= USUAL.share
            ? "this kind usually goes well"
            : "this kind is often refused",
    },
  ];
  const sum = 1 + factors.reduce((total, f) => total + f.points, 0);
  return { score: Math.min(10, Math.max(1, Math.round(sum))), factors };
}

const scaled = (value: number, { from, full }: { from: number; full: number }): number =>
  Math.min(1, Math.max(0, Math.log(Math.max(value, from) / from) / Math.log(full / from)));
