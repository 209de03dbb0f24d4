import { resolve } from "node:path";
import { formatProblems, shown } from "../../config/index.ts";
import type { Pipeline } from "../../domain/index.ts";
import {
  checkFiles,
  findChecks,
  loadBatch,
  pipelineOfTasks,
  pipelineOfTemplate,
  type Checks,
  type Task,
  type TaskDefaults,
  type TaskPipeline,
} from "../../planning/index.ts";
import { openProject, type Project } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { RequestError, InputProblems } from "../../setup/failure.ts";
import { baseFiles } from "../setup/base-files.ts";
import { templateText } from "../setup/templates.ts";
import { tellChecks } from "../show/checks-text.ts";
import { estimatePipeline, finishRun, parseBudget, startPipeline, type RunFlags } from "./run.ts";

export interface DoFlags extends Omit<RunFlags, "with"> {
  /** Replaces what the project's files suggest. */
  gate?: readonly string[] | undefined;
  /** False: `--no-gates`. */
  gates?: boolean | undefined;
  /** False: `--no-setup`. */
  setup?: readonly string[] | false | undefined;
  batch?: string | undefined;
  plan?: boolean | undefined;
  dryRun?: boolean | undefined;
}

/** `stepfall do "fix the failing test"`: a run without a pipeline file. */
export async function doTasks(cli: Cli, sentences: readonly string[], flags: DoFlags): Promise<number> {
  const tasks = tasksOf(cli, sentences, flags);
  const budget = flags.budget === undefined ? undefined : parseBudget(flags.budget);
  const project = await openProject(cli.cwd, { env: cli.env });
  const checks = await checksOf(project, flags);
  requireGates(checks, tasks, flags);
  const defaults: TaskDefaults = {
    gates: checks.gates.map((gate) => gate.command),
    setup: checks.setup.map((setup) => setup.command),
    ...(budget === undefined ? {} : { budget }),
  };
  const inputs: Record<string, string> = flags.plan === true ? { goal: sentences[0] ?? "" } : {};
  const made =
    flags.plan === true ? pipelineOfTemplate(templateText("scout-plan-build"), { ...defaults, inputs }) : pipelineOfTasks(tasks, defaults);
  const pipeline = loaded(made);
  tellChecks(cli, checks, tasks);
  if (flags.dryRun === true) {
    const { gates, setup, notes } = checks;
    if (cli.json) cli.out.json({ version: 1, pipeline: made.text, gates, setup, notes });
    else cli.out.data(made.text.trimEnd());
    return Exit.ok;
  }
  const source = flags.batch === undefined ? {} : { source: resolve(cli.cwd, flags.batch) };
  const runnable = { pipeline, inputs, project, ...source };
  if (flags.estimate === true) return estimatePipeline(cli, runnable, flags);
  return finishRun(cli, await startPipeline(cli, runnable, flags), flags);
}

/** What shall be done; throws USAGE, or the problems of the batch file. */
function tasksOf(cli: Cli, sentences: readonly string[], flags: DoFlags): Task[] {
  const usage = (message: string, hint: string): RequestError => new RequestError("USAGE", message, hint);
  if (sentences.some((sentence) => sentence.trim() === "")) throw usage("a task is empty", 'Say what shall be done: stepfall do "..."');
  if (sentences.length > 1 && !sentences.some((sentence) => /\s/.test(sentence.trim())))
    throw usage(
      `these are ${sentences.length} tasks of one word each`,
      `Put a task in quotes: stepfall do "${shown(sentences.join(" "), 60)}"`,
    );
  for (const command of [...(flags.gate ?? []), ...(flags.setup === false ? [] : (flags.setup ?? []))])
    if (command.trim() === "") throw usage("a command of --gate or --setup is empty", "Use --no-gates or --no-setup to have none.");
  if (flags.gates === false && (flags.gate ?? []).length > 0) throw usage("--gate and --no-gates exclude each other", "Keep one of them.");
  if (flags.plan === true) {
    if (flags.batch !== undefined) throw usage("--plan and --batch exclude each other", "A batch is planned already.");
    if (sentences.length !== 1) throw usage("--plan takes one goal", 'Write it in one sentence: stepfall do --plan "..."');
    if (flags.gates === false) throw usage("--plan needs a gate: without one nothing would check the parts", "Leave --no-gates out.");
  }
  const batch = flags.batch === undefined ? [] : tasksIn(cli, flags.batch);
  const tasks = [...sentences.map((task) => ({ task })), ...batch];
  if (tasks.length === 0)
    throw usage("nothing is to be done", 'Say what, in quotes: stepfall do "fix the failing test". Or: --batch FILE.');
  return tasks;
}

function tasksIn(cli: Cli, file: string): Task[] {
  const read = loadBatch(resolve(cli.cwd, file), file);
  if (read.ok) return read.tasks;
  throw new InputProblems(read.problems, formatProblems(read.problems, read.text === undefined ? {} : { [file]: read.text }));
}

/** What was given, and for the rest what the files of the base commit suggest. */
async function checksOf(project: Project, flags: DoFlags): Promise<Checks> {
  const given = (commands: readonly string[], flag: string): Checks["gates"] => commands.map((command) => ({ command, from: flag }));
  const gates = flags.gates === false ? [] : (flags.gate ?? []).length > 0 ? given(flags.gate ?? [], "--gate") : undefined;
  const setup = flags.setup === false ? [] : (flags.setup ?? []).length > 0 ? given(flags.setup || [], "--setup") : undefined;
  if (gates && setup) return { gates, setup, notes: [] };
  const { files, texts } = await baseFiles(project, { includeDirty: flags.includeDirty === true, wanted: checkFiles });
  const found = findChecks(files, (path) => texts.get(path));
  return { gates: gates ?? found.gates, setup: setup ?? found.setup, notes: found.notes };
}

/** A task that nothing checks is done when somebody says so; that somebody is never the agent. */
function requireGates({ gates, notes }: Checks, tasks: readonly Task[], flags: DoFlags): void {
  const isUnchecked = flags.plan === true || tasks.some((task) => task.gates === undefined && task.outputs === undefined);
  if (gates.length > 0 || flags.gates === false || !isUnchecked) return;
  throw new RequestError(
    "NO_GATE",
    ["no file of this project says how its tests are run", ...notes].join(". ").replaceAll("..", "."),
    "Give the command that tells whether the work is good: --gate 'CMD'. Or accept any change at all with --no-gates.",
  );
}

function loaded({ parsed, text }: TaskPipeline): Pipeline {
  if (parsed.ok) return parsed.pipeline;
  const [file = ""] = parsed.problems.map((problem) => problem.file);
  throw new InputProblems(parsed.problems, formatProblems(parsed.problems, { [file]: text }));
}
