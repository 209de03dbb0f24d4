import { z } from "zod";
import { dimensions } from "../../../models/index.ts";
import { gist } from "../bounded.ts";
import { defineTool, looks } from "../tool.ts";
import { knownProject, projectArgument } from "./project.ts";
import { runArgument } from "./run-words.ts";

const MOST_ROWS = 40;
const DAY_MS = 86_400_000;

const usage = z.object({
  calls: z.number(),
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  outputTokens: z.number(),
  microUsd: z.number(),
  provenance: z.string().describe("reported by the provider, estimated, or unknown but bounded: the weakest of its calls"),
});
const row = usage.extend({
  name: z.string(),
  attempts: z.number().optional(),
  accepted: z.number().optional(),
  scripted: z.number().optional().describe("Calls that a scripted model answered: no money was spent on them"),
});

const usageOf = ({
  calls,
  inputTokens,
  cachedInputTokens,
  outputTokens,
  microUsd,
  provenance,
}: z.infer<typeof usage>): z.infer<typeof usage> => ({
  calls,
  inputTokens,
  cachedInputTokens,
  outputTokens,
  microUsd,
  provenance,
});

export const cost = defineTool({
  name: "cost",
  title: "What it cost",
  description:
    "The bill of one run by attempt, agent and model; or, without `run`, of all runs summed up `by` day, tier, model, agent, step, run or policy, with what was saved. Money in micro-dollars.",
  input: z.strictObject({
    run: runArgument.optional(),
    by: z.enum(dimensions).default("agent"),
    project: projectArgument.describe("Only of this project: its folder"),
    days: z.number().positive().max(3650).optional().describe("Only what is not older"),
  }),
  output: z.object({
    runId: z.string().optional(),
    by: z.string(),
    rows: z.array(row),
    rowsLeftOut: z.number(),
    total: usage,
    savings: z
      .looseObject({ kind: z.string() })
      .optional()
      .describe("Estimates, each against a named other way; too-little: not enough is known"),
  }),
  hints: looks,
  act: async ({ run, by, project: given, days }, call) => {
    const { control, clock } = call;
    const project = await knownProject(given, call);
    if (run !== undefined) {
      const { runId } = await control.run(run);
      const bill = await control.bill(runId);
      const rows = bill.rows.map((r) => ({
        name: gist(`${r.attempt.slice(runId.length + 1)}: ${r.agent}, ${r.provider}/${r.model}`),
        ...usageOf(r),
      }));
      const leftOut = Math.max(0, rows.length - MOST_ROWS);
      return { data: { runId, by: "attempt", rows: rows.slice(0, MOST_ROWS), rowsLeftOut: leftOut, total: usageOf(bill.total) } };
    }
    const since = days === undefined ? {} : { since: clock.now() - days * DAY_MS };
    const view = await control.cost(by, { ...(project === undefined ? {} : { project }), ...since });
    // Days are in order, and the last are wanted; all else begins with the dearest.
    const kept = by === "day" ? view.rows.slice(-MOST_ROWS) : view.rows.slice(0, MOST_ROWS);
    const rows = kept.map((r) => ({ name: gist(r.name), ...usageOf(r), attempts: r.attempts, accepted: r.accepted, scripted: r.scripted }));
    return {
      data: {
        by,
        rows,
        rowsLeftOut: view.rows.length - kept.length,
        total: usageOf(view.total),
        savings: view.savings,
      },
    };
  },
});
