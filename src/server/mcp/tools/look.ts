import { z } from "zod";
import type { RunReport, RunSummary, StepReport } from "../../../control/index.ts";
import { ANSWER_CHARS, fitting, gist } from "../bounded.ts";
import { McpCallError } from "../errors.ts";
import { defineTool, looks } from "../tool.ts";
import { knownProject, projectArgument } from "./project.ts";
import { detailOf, nextOf, runArgument, shownItem, shownStep, stepDetail, stepOf, waitingIn } from "./run-words.ts";

const statuses = [
  "running",
  "waiting",
  "budget",
  "stopped",
  "succeeded",
  "failed",
  "cancelled",
] as const satisfies readonly RunReport["status"][];

const shownRun = z.object({
  runId: z.string(),
  pipeline: z.string(),
  project: z.string(),
  status: z.string().describe("waiting: for people; budget: one is spent; stopped: nobody drives it"),
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
    status: z.enum(statuses).optional(),
    before: z.string().max(200).optional().describe("Only runs older than this one: its whole id"),
    limit: z.int().min(1).max(100).default(20),
  }),
  output: z.object({ runs: z.array(shownRun), next: z.string() }),
  hints: looks,
  act: async ({ project: given, status, before, limit }, call) => {
    const project = await knownProject(given, call);
    const part = {
      ...(project === undefined ? {} : { project }),
      ...(status ? { status } : {}),
      ...(before === undefined ? {} : { before }),
    };
    // One more than is wanted tells whether there are more.
    const found = await call.control.runs({ ...part, limit: limit + 1 });
    const runs = fitting(found.slice(0, limit).map(shownSummary), ANSWER_CHARS);
    const older = found.length > runs.length ? ` For older ones: \`before\` ${runs.at(-1)?.runId}.` : "";
    const none = Object.keys(part).length === 0 ? "There is none yet: `do` or `start_run` begins one." : "There is none of these.";
    return { data: { runs, next: runs.length === 0 ? none : `get_run tells more of one.${older}` } };
  },
});

/** Steps shown of a run. A run may have thousands: those that need a look come first then. */
const STEPS_CHARS = 13_000;

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
    merged: z.object({ into: z.string(), commit: z.string() }).optional().describe("Into which branch a person took the result"),
    waiting: z.array(shownItem),
    waitingLeftOut: z.number().optional(),
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
    ...(r.mergedInto ? { merged: r.mergedInto } : {}),
    ...waitingIn(r),
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
  const byUrgency = steps.toSorted((a, b) => urgency(a) - urgency(b));
  const kept = new Set(byUrgency.slice(0, fitting(byUrgency.map(stepOf), STEPS_CHARS).length));
  const shown = steps.filter((s) => kept.has(s));
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
    `Steps: ${known.map((id) => gist(id)).join(", ")}${steps.length > known.length ? ", ..." : ""}.`,
  );
}
