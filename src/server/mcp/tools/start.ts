import { z } from "zod";
import { McpCallError } from "../errors.ts";
import { defineTool, type Answer, type Call } from "../tool.ts";
import { projectArgument, projectOf } from "./project.ts";

const started = z.object({ runId: z.string().optional().describe("Absent: it is still being prepared"), next: z.string() });
const next = "It goes on by itself, whether or not anybody looks. wait_run waits until it is over or asks something.";
const later =
  "It is still being prepared: its agents are tried first. Make this call once more, in the same words, to go on waiting: it is not started twice.";
const budget = z.number().positive().max(1_000_000).optional().describe("Most it may spend, USD");
const project = projectArgument.describe("A folder in the git project; without it the one that the server was started in");

/** It spends money, and runs commands: what is checked out it never touches by itself, but commands are what their author wrote. */
const hints = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };

/** As many characters in all are passed on to the process that is started. */
const MOST_CHARS = 100_000;

export const startRun = defineTool({
  name: "start_run",
  title: "Start a run of a pipeline",
  description:
    "Runs a Stepfall pipeline on a git project: give `file` (a pipeline in the project) or `yaml` (its text). Answers with the run's id as soon as it has begun. It runs the pipeline's commands on this machine and spends money on models; the result is a branch, and the checkout is not touched.",
  input: z.strictObject({
    file: z.string().max(4096).optional().describe("Path of the pipeline in the project, such as pipeline.yaml"),
    yaml: z.string().max(200_000).optional().describe("The pipeline itself, instead of a file"),
    inputs: z
      .record(z.string().regex(/^[^=\s]{1,100}$/), z.string().max(20_000))
      .optional()
      .describe("Values for the pipeline's inputs"),
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
    short(Object.entries(inputs ?? {}).flat(), "inputs");
    const folder = projectOf(given, call);
    return begun(call, ["start_run", folder, file, yaml, inputs, budget_usd, include_dirty], () =>
      call.control.start(call.caller.agent, {
        project: folder,
        pipeline: file === undefined ? { yaml: yaml ?? "" } : { file },
        ...(inputs === undefined ? {} : { inputs }),
        ...(budget_usd === undefined ? {} : { budget: budget_usd }),
        ...(include_dirty === undefined ? {} : { includeDirty: include_dirty }),
      }),
    );
  },
});

export const doTasks = defineTool({
  name: "do",
  title: "Have something done",
  description:
    "Has one task or several done, each by a coding agent in a workspace of its own, side by side, and merges what passes its gates onto a branch. Gates are shell commands that decide whether work is accepted; without `gates` those found in the project (its tests). Answers with the run's id as soon as it has begun.",
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
    short([...tasks, ...(gates ?? [])], "tasks");
    const folder = projectOf(given, call);
    return begun(call, ["do", folder, tasks, gates, no_gates, agent, budget_usd], () =>
      call.control.doTasks(call.caller.agent, {
        project: folder,
        tasks: [first, ...rest],
        ...(gates === undefined ? {} : { gates }),
        ...(no_gates === undefined ? {} : { noGates: no_gates }),
        ...(agent === undefined ? {} : { agent }),
        ...(budget_usd === undefined ? {} : { budget: budget_usd }),
      }),
    );
  },
});

const TELL_EVERY_MS = 2000;

/** A run begins when its agents could be started: the client is told meanwhile that something is done, so that it does not give the call up. */
async function begun(call: Call, words: readonly unknown[], start: () => Promise<{ runId: string }>): Promise<Answer> {
  const timer = setInterval(() => call.say("checking the project and its agents"), TELL_EVERY_MS);
  try {
    const run = await call.starts.join(JSON.stringify([call.caller.agent, ...words]), start, call.ctx.mcpReq.signal);
    return { data: run ? { runId: run.runId, next } : { next: later } };
  } finally {
    clearInterval(timer);
  }
}

/** What a process is started with has to fit into its command line. */
function short(texts: readonly string[], what: string): void {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  if (characters > MOST_CHARS)
    throw new McpCallError(
      "USAGE",
      `the ${what} have ${characters} characters, and ${MOST_CHARS} are the most`,
      "Put what is long into a file of the project, and name it.",
    );
}
