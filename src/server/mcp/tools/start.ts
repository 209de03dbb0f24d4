import { z } from "zod";
import { McpCallError } from "../errors.ts";
import { startProgress } from "../progress.ts";
import { defineTool, type Call } from "../tool.ts";
import { projectArgument, projectOf } from "./project.ts";

const started = z.object({ runId: z.string(), next: z.string() });
const next = "It goes on by itself, whether or not anybody looks. wait_run waits until it is over or asks something.";
const budget = z.number().positive().max(1_000_000).optional().describe("Most it may spend, USD");
const project = projectArgument.describe("A folder in the git project; without it the one that the server was started in");

/** It spends money and writes a branch, but never what is checked out. */
const hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true };

export const startRun = defineTool({
  name: "start_run",
  title: "Start a run of a pipeline",
  description:
    "Runs a Stepfall pipeline on a git project: give `file` (a pipeline in the project) or `yaml` (its text). Answers at once with the run's id. The checkout is not touched: the result is a branch.",
  input: z.strictObject({
    file: z.string().max(4096).optional().describe("Path of the pipeline in the project, such as pipeline.yaml"),
    yaml: z.string().max(200_000).optional().describe("The pipeline itself, instead of a file"),
    inputs: z.record(z.string(), z.string().max(20_000)).optional().describe("Values for the pipeline's inputs"),
    budget_usd: budget,
    include_dirty: z.boolean().optional().describe("Take uncommitted changes along"),
    project,
  }),
  output: started,
  hints,
  needs: "steer",
  act: async ({ file, yaml, inputs, budget_usd, include_dirty, project: given }, call) => {
    if ((file === undefined) === (yaml === undefined))
      throw new McpCallError("USAGE", "give either `file` or `yaml`", "`do` needs neither: it takes what is to be done as a sentence.");
    const { runId } = await begun(
      call,
      call.control.start(call.caller.agent, {
        project: projectOf(given, call),
        pipeline: file === undefined ? { yaml: yaml ?? "" } : { file },
        ...(inputs === undefined ? {} : { inputs }),
        ...(budget_usd === undefined ? {} : { budget: budget_usd }),
        ...(include_dirty === undefined ? {} : { includeDirty: include_dirty }),
      }),
    );
    return { data: { runId, next } };
  },
});

export const doTasks = defineTool({
  name: "do",
  title: "Have something done",
  description:
    "Has one task or several done, each by a coding agent in a workspace of its own, side by side, and merges what passes its gates onto a branch. Gates are shell commands that decide whether work is accepted; without `gates` those found in the project (its tests).",
  input: z.strictObject({
    tasks: z.array(z.string().min(1).max(20_000)).min(1).max(50).describe("What is to be done, one sentence or more each"),
    gates: z.array(z.string().min(1).max(2000)).max(20).optional().describe("Commands that decide, such as `npm test`"),
    no_gates: z.boolean().optional().describe("Accept any change: nothing is checked"),
    agent: z.string().max(200).optional().describe("Id of the agent that is to do it: see list_agents"),
    budget_usd: budget,
    project,
  }),
  output: started,
  hints,
  needs: "steer",
  act: async ({ tasks, gates, no_gates, agent, budget_usd, project: given }, call) => {
    const [first, ...rest] = tasks;
    if (first === undefined) throw new McpCallError("USAGE", "there is nothing to do", "Give at least one task.");
    const { runId } = await begun(
      call,
      call.control.doTasks(call.caller.agent, {
        project: projectOf(given, call),
        tasks: [first, ...rest],
        ...(gates === undefined ? {} : { gates }),
        ...(no_gates === undefined ? {} : { noGates: no_gates }),
        ...(agent === undefined ? {} : { agent }),
        ...(budget_usd === undefined ? {} : { budget: budget_usd }),
      }),
    );
    return { data: { runId, next } };
  },
});

const TELL_EVERY_MS = 2000;

/** A run begins when its agents could be started: the client is told meanwhile that something is done, so that it does not give the call up. */
async function begun({ ctx, clock }: Call, starting: Promise<{ runId: string }>): Promise<{ runId: string }> {
  using progress = startProgress(ctx, clock);
  const timer = setInterval(() => progress.say("checking the project and its agents"), TELL_EVERY_MS);
  try {
    return await starting;
  } finally {
    clearInterval(timer);
  }
}
