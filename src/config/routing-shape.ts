import { z } from "zod";
import { STEP_TYPES } from "./step-types.ts";
import { Glob, Id, TierName } from "./yaml/fields.ts";
import { keyed } from "./yaml/shape-problems.ts";

/** The shapes of `rules` and `routing` in the settings. */

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).min(1)]).transform((value): z.output<T>[] => [value].flat() as z.output<T>[]);
const Word = z.string().min(1).max(64);

const When = keyed(
  {
    type: oneOrMore(z.enum(STEP_TYPES)).optional().describe("Kinds of work: the step's `type`, else what its prompt tells"),
    labels: oneOrMore(Word).optional().describe("One of the step's labels"),
    paths: oneOrMore(Glob).optional().describe("Globs: one path that the step declares in `touches` or `outputs`"),
    step: oneOrMore(Glob).optional().describe("Globs over the step's id in the pipeline"),
  },
  {
    of: "when",
    synonyms: { label: "labels", path: "paths", files: "paths", touches: "paths", types: "type", kind: "type", id: "step", steps: "step" },
  },
);
const Use = keyed(
  {
    agent: Id.optional(),
    tier: TierName.optional().describe("The tier to begin with"),
    capability: oneOrMore(Word).optional().describe("What its agent must be able to do, such as web_search or rag"),
  },
  { of: "use", synonyms: { capabilities: "capability", agents: "agent" }, elsewhere: { model: "A model has an agent: name that" } },
);
export const RuleShape = keyed({ when: When, use: Use }, { of: "a rule", synonyms: { if: "when", match: "when", route: "use" } });

const PerTier = z.int().min(1).max(20);
const climbKeys = {
  escalate: z.boolean().optional().describe("Whether a refused result takes the next attempt one tier up; default true"),
  entry: TierName.optional().describe("The tier of first attempts; default: the one that promises the cheapest accepted result"),
  ceiling: TierName.optional().describe("The highest tier; default: the highest there is"),
  attempts: z
    .union([PerTier, z.record(TierName, PerTier)])
    .optional()
    .describe("Tries at a tier before the next one; default 1"),
};
const climbWords = {
  synonyms: {
    from: "entry",
    start: "entry",
    to: "ceiling",
    max: "ceiling",
    tries: "attempts",
    waterfall: "escalate",
    escalation: "escalate",
  },
};
export const RoutingShape = keyed(
  {
    ...climbKeys,
    split: keyed(
      {
        name: Word.describe("What the other policy is called in the bill"),
        share: z.number().min(0).max(1).describe("The share of steps that follow it, 0 to 1"),
        ...climbKeys,
      },
      { of: "split", ...climbWords },
    )
      .optional()
      .describe("Compares two policies: a share of the steps follows the other one"),
  },
  { of: "routing", ...climbWords, elsewhere: { rules: "Write `rules` at the top of the file" } },
);
