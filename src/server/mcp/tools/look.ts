import { z } from "zod";
import type { RunReport, RunSummary, StepReport } from "../../../control/index.ts";
import { gist } from "../bounded.ts";
import { McpCallError } from "../errors.ts";
import { defineTool, looks } from "../tool.ts";
import { folderIn, projectArgument } from "./project.ts";
import { detailOf, itemOf, nextOf, runArgument, shownItem, shownStep, stepDetail, stepOf } from "./run-words.ts";

const shownRun = z.object({
  runId: z.string(),
  pipeline: z.string(),
  project: z.string(),
  status: z.string().describe("running, waiting (for people), budget, stopped, succeeded, failed or cancelled"),
  stepsDone: z.number(),
  stepsTotal: z.number(),
  startedAt: z.number(),
  endedAt: z.number().optional(),
  durationMs: z.number(),
  microUsd: z.number(),
  scripted: z.boolean().describe("Some of its calls a scripted model answered: not all of the cost is money"),
});

const shownSummary = (r: RunSummary): z.infer<typeof shownRun> => ({
  runId: r.runId,
  pipeline: gist(r.pipeline, 120),
  project: r.project,
  status: r.status,
  stepsDone: r.stepsDone,
  stepsTotal: r.stepsTotal,
  startedAt: r.startedAt,
  ...(r.endedAt === undefined ? {} : { endedAt: r.endedAt }),
  durationMs: r.durationMs,
  microUsd: r.microUsd,
  scripted: r.scripted,
});

export const listRuns = defineTool({
  name: "list_runs",
  title: "List runs",
  description: "Runs of this machine's Stepfall, newest first: status, steps done, cost in micro-dollars.",
  input: z.strictObject({
    project: projectArgument.describe("Only of this project: its folder"),
    limit: z.int().min(1).max(100).default(20),
  }),
  output: z.object({ runs: z.array(shownRun), next: z.string() }),
  hints: looks,
  act: async ({ project: given, limit }, call) => {
    const project = folderIn(given, call);
    const runs = await call.control.runs({ ...(project === undefined ? {} : { project }), limit });
    const next = runs.length === 0 ? "There is none yet: `do` or `start_run` begins one." : "get_run tells more of one.";
    return { data: { runs: runs.slice(0, limit).map(shownSummary), next } };
  },
});

/** Steps shown of a run. A run may have thousands: those that need a look come first then. */
const MOST_STEPS = 60;

export const getRun = defineTool({
  name: "get_run",
  title: "Look at a run",
  description:
    "Where a run stands: status, steps, what waits for people, cost. With `step`: that step's attempts, what its gates found, why it failed.",
  input: z.strictObject({
    run: runArgument,
    step: z.string().min(1).max(500).optional().describe("A step's path, or an end of it that only one has"),
  }),
  output: z.object({
    runId: z.string(),
    pipeline: z.string(),
    project: z.string(),
    status: z.string(),
    because: z.string().optional(),
    branch: z.string(),
    base: z.string(),
    changed: z.object({ files: z.number(), added: z.number(), removed: z.number() }).optional(),
    startedAt: z.number(),
    endedAt: z.number().optional(),
    budgetMicroUsd: z.number().optional(),
    microUsd: z.number(),
    stepsByStatus: z.record(z.string(), z.number()),
    steps: z.array(shownStep).optional(),
    stepsLeftOut: z.number().optional(),
    step: stepDetail.optional(),
    waiting: z.array(shownItem),
    next: z.string(),
  }),
  hints: looks,
  act: async ({ run, step }, { control }) => {
    const report = await control.run(run);
    return { data: { ...overviewOf(report), ...(step === undefined ? stepsOf(report) : { step: detailOf(findStep(report, step)) }) } };
  },
});

export function overviewOf(r: RunReport): Record<string, unknown> {
  const files = r.diff?.files;
  return {
    runId: r.runId,
    pipeline: gist(r.pipeline, 120),
    project: r.project,
    status: r.status,
    ...(r.because === undefined ? {} : { because: gist(r.because, 500) }),
    branch: r.branch,
    base: r.base,
    ...(files
      ? {
          changed: {
            files: files.length,
            added: files.reduce((n, f) => n + f.added, 0),
            removed: files.reduce((n, f) => n + f.removed, 0),
          },
        }
      : {}),
    startedAt: r.startedAt,
    ...(r.endedAt === undefined ? {} : { endedAt: r.endedAt }),
    ...(r.budget === undefined ? {} : { budgetMicroUsd: r.budget }),
    microUsd: r.bill.total.microUsd,
    stepsByStatus: countsOf(r.steps),
    waiting: r.waiting.slice(0, 20).map((i) => itemOf(r.runId, i)),
    next: nextOf(r),
  };
}

const countsOf = (steps: readonly StepReport[]): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(steps, (s) => s.status)].map(([status, of]) => [status, of.length]));

/** By how much they need a look. What is not named comes between. */
const URGENT = ["failed", "active", "waiting_quota"];
const DULL = ["skipped", "completed"];
const urgency = (s: StepReport): number => {
  const at = URGENT.indexOf(s.status);
  return at >= 0 ? at : URGENT.length + 1 + DULL.indexOf(s.status);
};

export function stepsOf({ steps }: RunReport): { steps: z.infer<typeof shownStep>[]; stepsLeftOut: number } {
  const kept = steps.length <= MOST_STEPS ? undefined : new Set([...steps].sort((a, b) => urgency(a) - urgency(b)).slice(0, MOST_STEPS));
  const shown = kept ? steps.filter((s) => kept.has(s)) : steps;
  return { steps: shown.map(stepOf), stepsLeftOut: steps.length - shown.length };
}

export function findStep({ runId, steps }: RunReport, given: string): StepReport {
  const exact = steps.find((s) => s.id === given);
  const ending = steps.filter((s) => s.id.endsWith(given));
  const found = exact ?? (ending.length === 1 ? ending[0] : undefined);
  if (found) return found;
  const known = (ending.length > 0 ? ending : steps).slice(0, 20).map((s) => s.id);
  throw new McpCallError(
    "USAGE",
    ending.length > 1 ? `${given} may be several steps of run ${runId}` : `run ${runId} has no step ${given}`,
    `Steps: ${known.join(", ")}${steps.length > known.length ? ", ..." : ""}.`,
  );
}
