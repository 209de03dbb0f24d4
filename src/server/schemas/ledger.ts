import { z } from "@hono/zod-openapi";
import { Usage, type Provenance } from "../../domain/index.ts";
import { dimensions } from "../../models/index.ts";
import { MicroUsd, Ms, Time } from "./common.ts";

export const Dimension = z.enum(dimensions);

const Figure = z.object({ calls: z.number().int(), microUsd: MicroUsd });

const ViewRow = Usage.extend({
  name: z.string(),
  refused: z.number().int(),
  attempts: z.number().int(),
  accepted: z.number().int(),
  microUsdPerAccepted: z.number().optional(),
  figures: z.object({ reported: Figure, estimated: Figure, unknown: Figure }) satisfies z.ZodType<
    Record<Provenance, z.infer<typeof Figure>>
  >,
  listPriced: z.number().int(),
  ownWord: z.number().int(),
  scripted: z.number().int(),
}).openapi("LedgerRow");

const Estimate = z.object({ mean: z.number(), low: z.number(), high: z.number() });

const Counterfactual = z
  .object({
    name: z.enum(["always-premium", "best-single"]),
    agent: z.string(),
    microUsd: Estimate,
    saved: Estimate,
    right: z.object({ counterfactual: Estimate, actual: z.number() }).optional(),
    steps: z.number().int(),
    seen: z.number().int(),
    attempts: z.number().int(),
    isEstimate: z.literal(true),
    method: z.string(),
  })
  .openapi("Counterfactual");

const Savings = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("too-little"), steps: z.number().int(), needed: z.number().int() }),
    z.object({
      kind: z.literal("estimates"),
      spentMicroUsd: MicroUsd,
      steps: z.number().int(),
      counterfactuals: z.array(Counterfactual),
      missing: z.array(z.string()),
    }),
  ])
  .openapi("Savings");

export const CostView = z
  .object({
    project: z.string().optional(),
    since: Time.optional(),
    runs: z.number().int(),
    timeZone: z.string(),
    by: Dimension,
    rows: z.array(ViewRow),
    total: ViewRow,
    savings: Savings,
    problem: z.string().optional(),
  })
  .openapi("CostView");

const Proportion = z.object({ hits: z.number(), of: z.number(), share: z.number(), low: z.number(), high: z.number() });
const Interval = z.object({ low: z.number(), high: z.number() });

export const GatesView = z
  .object({
    project: z.string().optional(),
    since: Time.optional(),
    runs: z.number().int(),
    gates: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        verdicts: z.object({ passed: z.number().int(), refused: z.number().int(), errored: z.number().int() }),
        known: z.number().int(),
        takenForWrong: z.number().int(),
        falseAccepts: Proportion,
        caughtElsewhere: z.number().int(),
        falseRefusals: Proportion,
        durationMs: Ms,
        microUsd: MicroUsd.optional(),
      }),
    ),
    together: z.object({
      falseAccept: z.number(),
      falseRefuse: z.number(),
      falseAcceptInterval: Interval,
      falseRefuseInterval: Interval,
      counts: z.object({ wrong: z.number(), wrongAccepted: z.number(), right: z.number(), rightRefused: z.number() }),
      isAssumed: z.boolean(),
    }),
  })
  .openapi("GatesView");
