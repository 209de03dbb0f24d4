import { resolve } from "node:path";
import { ulid } from "ulid";
import { shown, type Config } from "../../config/index.ts";
import { usd, type Pipeline } from "../../domain/index.ts";
import { resolveInputs } from "../../pipeline/index.ts";
import { openProject, openWorkspaces, type Project, type Workspaces } from "../../workspace/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { driveRun, tellResult, type Driven } from "../driving/drive.ts";
import { onInterrupts } from "../driving/signals.ts";
import { RequestError } from "../../setup/failure.ts";
import { assemble } from "../../setup/assemble.ts";
import { mergeRun } from "../setup/merge-run.ts";
import { actorOf } from "../setup/person.ts";
import { requirePipeline } from "../setup/pipeline-file.ts";
import { withinSettings } from "../../setup/budgets.ts";
import { withFound } from "../../setup/found-agents.ts";
import { withTiers } from "../../setup/tiers.ts";
import { requireSandbox } from "../../setup/isolation.ts";
import { requirePreflight } from "../../setup/preflight.ts";
import { buildRegistry } from "../../setup/registry.ts";
import { routingFor } from "../../setup/routing.ts";
import type { EngineDeps } from "../../engine/index.ts";
import { allOf, checkRequirements, type NeededAgents } from "../../setup/requirements.ts";
import { configFlags, saveOptions, type RunOptions } from "../../setup/run-options.ts";
import { ScriptedModels } from "../../setup/scripted-models.ts";
import { homeOf, loadSettings, uncommittedSettings } from "../../setup/settings.ts";
import { plural } from "../show/format.ts";

export interface RunFlags extends RunOptions {
  budget?: string | undefined;
  includeDirty?: boolean | undefined;
  merge?: boolean | undefined;
  /** `name=value` each. */
  with?: readonly string[] | undefined;
  wait?: boolean | undefined;
  /** Shows the run in the dashboard. */
  open?: boolean | undefined;
  /** A run: its pipeline, inputs and options are taken. */
  again?: string | undefined;
  /** Tells what the run would cost, and starts nothing. */
  estimate?: boolean | undefined;
}

/** `stepfall run FILE`, or `stepfall run --again RUN`. */
export async function run(cli: Cli, file: string | undefined, given: RunFlags): Promise<number> {
  const { runnable, flags } = await wanted(cli, file, given);
  if (flags.estimate === true) return estimatePipeline(cli, runnable, flags);
  return finishRun(cli, await startPipeline(cli, runnable, flags), flags);
}

async function wanted(cli: Cli, file: string | undefined, flags: RunFlags): Promise<{ runnable: Runnable; flags: RunFlags }> {
  if (flags.again !== undefined && file !== undefined)
    throw new RequestError("USAGE", "a file and --again exclude each other", "--again takes the pipeline of the run it names.");
  if (flags.again !== undefined) return (await import("./run-again.ts")).runnableAgain(cli, flags.again, flags);
  if (file === undefined)
    throw new RequestError("USAGE", "nothing is to be run", "Give the file of a pipeline, or --again with a run that is over.");
  return { runnable: await runnableOf(cli, file, flags), flags };
}

/** Tells what a run came to, and merges it when that was asked for and it succeeded. */
export async function finishRun(cli: Cli, driven: Driven, flags: Pick<RunFlags, "merge">): Promise<number> {
  const code = tellResult(cli, driven);
  if (flags.merge !== true || code !== Exit.ok) return code;
  return mergeRun(cli, driven.report.runId, { partial: false, quiet: cli.json });
}

/** The pipeline of a file. */
export const startAndDrive = async (cli: Cli, file: string, flags: RunFlags): Promise<Driven> =>
  startPipeline(cli, await runnableOf(cli, file, flags), flags);

async function runnableOf(cli: Cli, file: string, flags: RunFlags): Promise<Runnable> {
  const pipeline = await requirePipeline(cli, file);
  const inputs = inputsOf(pipeline, flags.with ?? []);
  return { pipeline, inputs, source: resolve(cli.cwd, file), check: (tiers) => requirePipeline(cli, file, tiers) };
}

/** What is run, wherever it comes from. */
export interface Runnable {
  pipeline: Pipeline;
  inputs: Readonly<Record<string, unknown>>;
  /** Path of the file it comes from, if any. */
  source?: string;
  /** When it is open already. */
  project?: Project;
  /** Throws when its file names a tier that is not one of these, with the place. */
  check?: (tiers: readonly string[]) => Promise<unknown>;
}

/** What a run is made of, and what it would be refused for. Nothing is created. */
async function prepare(cli: Cli, runnable: Runnable, flags: Omit<RunFlags, "with">) {
  const budgeted = withBudget(runnable.pipeline, flags.budget);
  const project = runnable.project ?? (await openProject(cli.cwd, { env: cli.env }));
  const settings = await loadSettings(cli, {
    project,
    at: flags.includeDirty ? undefined : project.head,
    flags: configFlags(flags),
    secrets: budgeted.secrets,
  });
  const bounded = flags.budget === undefined ? withinSettings(budgeted, settings.budgets) : budgeted;
  const pipeline = await tieredOf(bounded, settings.tiers, runnable.check);
  const config = await withFound(cli, settings, { pipeline });
  requireSecrets(pipeline, config);
  const runId = ulid(cli.clock.now()).toLowerCase();
  const scripted = new ScriptedModels(homeOf(cli), runId);
  const registry = buildRegistry(config, scripted.urls);
  const committed = flags.includeDirty ? undefined : project;
  return { pipeline, project, config, runId, scripted, registry, committed };
}

/** `--estimate`: what it would cost, as it would be run now. */
export async function estimatePipeline(cli: Cli, runnable: Runnable, flags: Omit<RunFlags, "with">): Promise<number> {
  const { estimate } = await import("./estimate.ts");
  const { pipeline, project, config, registry, committed } = await prepare(cli, runnable, flags);
  const tell = (notice: string): void => cli.out.note(notice);
  return estimate(cli, {
    pipeline,
    inputs: runnable.inputs,
    config,
    project,
    agents: () => registry.list(),
    require: (routing) => requirementsOf(pipeline, config, { registry, routing }, { project: committed, tell }),
  });
}

/** Everything that may be refused is refused before anything is created: no folder, no branch, no run. */
export async function startPipeline(cli: Cli, runnable: Runnable, flags: Omit<RunFlags, "with">): Promise<Driven> {
  const { inputs, source } = runnable;
  const { pipeline, project, config, runId, scripted, registry, committed } = await prepare(cli, runnable, flags);
  await requireSandbox(cli, config);
  await requirementsOf(pipeline, config, { registry, routing: routingFor(config) }, { project: committed });

  using interrupts = onInterrupts(process, { graceMs: config.graceMs, now: () => cli.clock.now() });
  await using assembled = await assemble(cli, {
    config,
    project,
    registry,
    scripted,
    keepWorkspaces: flags.keep === true,
    tell: (notice) => cli.out.note(notice),
  });
  const { deps, engine } = assembled;
  const tell = (notice: string): void => cli.out.note(notice);
  // Once more, with what the ledger has learnt.
  const needed = await requirementsOf(pipeline, config, deps, { project: committed, tell });
  cli.out.note(await assembled.describeSandbox());
  engine.prepare(pipeline.steps.filter((s) => s.needs.length === 0).length);
  cli.out.note(`checking that ${allOf(needed).join(", ")} can be started`);
  await scripted.start(config, allOf(needed));
  await requirePreflight(deps, runId, needed, interrupts.drain, tell);
  const workspaces = openWorkspaces({ project, home: config.home });
  try {
    const base = flags.includeDirty ? await snapshot(cli, workspaces, project, runId) : project.head;
    if (!flags.includeDirty) tellLeftOut(cli, project.dirty.length);
    saveOptions(config.home, runId, optionsOf(flags, config));
    await engine.start({
      runId,
      pipeline,
      workspaces,
      project: project.top,
      base,
      ...(source === undefined ? {} : { source }),
      includeDirty: flags.includeDirty === true,
      actor: actorOf(cli),
      inputs,
    });
    // Its server may need longer to start than the run takes.
    const shown = flags.open === true ? (await import("../setup/server-here.ts")).showPage(cli, `/runs/${runId}`) : undefined;
    const driven = await driveRun(cli, assembled, { runId, workspaces, interrupts, waitForPeople: flags.wait === true });
    await shown;
    return driven;
  } finally {
    await workspaces.close();
  }
}

function tellLeftOut(cli: Cli, dirty: number): void {
  if (dirty === 0) return;
  const [are, them] = dirty === 1 ? ["is", "it"] : ["are", "them"];
  cli.out.note(`${plural(dirty, "uncommitted change")} ${are} left out; --include-dirty takes ${them}`);
}

/** An agent that nobody knows may stand in settings that are not committed: then that is what to mend. `project`: settings are of its HEAD. */
async function requirementsOf(
  pipeline: Pipeline,
  config: Config,
  deps: Pick<EngineDeps, "registry" | "routing">,
  { project, tell }: { project: Project | undefined; tell?: (notice: string) => void },
): Promise<NeededAgents> {
  try {
    return checkRequirements(pipeline, config, deps, tell);
  } catch (error) {
    if (!(error instanceof RequestError && error.code === "STEP_NOT_ROUTABLE") || !project) throw error;
    const away = await uncommittedSettings(project);
    if (!away) throw error;
    throw new RequestError(error.code, error.message, `${away.problem}: ${away.hint} Or: ${error.hint}`);
  }
}

/** Values for the pipeline's inputs; throws USAGE. */
function inputsOf(pipeline: Pipeline, given: readonly string[]): Record<string, unknown> {
  const values: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1)
      throw new RequestError("USAGE", `--with ${shown(text, 40)} is not of the form name=value`, "Write it like --with version=1.2.");
    values[text.slice(0, at)] = text.slice(at + 1);
  }
  const resolved = resolveInputs(pipeline, values);
  if (resolved.ok) return resolved.inputs;
  const [first] = resolved.problems;
  throw new RequestError(
    "USAGE",
    resolved.problems.map((p) => p.message).join(". "),
    [
      ...(first?.code === "INPUT_MISSING" ? ["Give it with --with NAME=VALUE."] : []),
      ...new Set(resolved.problems.map((p) => p.hint)),
    ].join(" "),
  );
}

/** Every secret that the pipeline names is there, before anything starts. */
export function requireSecrets(pipeline: Pipeline, config: Config): void {
  const unset = (pipeline.secrets ?? []).filter((name) => config.secrets.get(name) === undefined);
  if (unset.length === 0) return;
  throw new RequestError(
    "SECRET_MISSING",
    `the pipeline needs the secret${unset.length > 1 ? "s" : ""} ${unset.join(", ")}, which nobody has set`,
    `Set ${unset[0]} in the environment, in the dotenv file of the settings, or in the file ${config.home}/secrets.`,
  );
}

/** With a place for a tier that the project does not have, where the pipeline is a file. */
async function tieredOf(pipeline: Pipeline, tiers: readonly string[], check: Runnable["check"]): Promise<Pipeline> {
  try {
    return withTiers(pipeline, tiers);
  } catch (error) {
    await check?.(tiers);
    throw error;
  }
}

function withBudget(pipeline: Pipeline, budget: string | undefined): Pipeline {
  return budget === undefined ? pipeline : { ...pipeline, budget: parseBudget(budget) };
}

/** Dollars as typed; throws USAGE. */
export function parseBudget(text: string): number {
  const dollars = /^\$?\d{1,9}(\.\d{1,6})?$/.test(text.trim()) ? Number(text.trim().replace("$", "")) : Number.NaN;
  if (Number.isNaN(dollars)) throw new RequestError("USAGE", `--budget ${shown(text, 40)} is not an amount in USD`, "Write it like 0.50.");
  return usd(dollars);
}

function optionsOf(flags: Omit<RunFlags, "with">, config: Config): RunOptions {
  const { model, modelUrl, agent, slots, grace, keep, sandbox } = flags;
  const scripted = config.providers.filter((p) => p.script !== undefined).map((p) => p.id);
  return { model, modelUrl, agent, slots, grace, keep, sandbox, scripted };
}

async function snapshot(cli: Cli, workspaces: Workspaces, project: Project, runId: string): Promise<string> {
  const taken = await workspaces.snapshotDirty({ runId, at: cli.clock.now() });
  for (const { path, reason } of taken?.leftOut ?? []) cli.out.note(`left out: ${path} (${reason})`);
  if (taken) cli.out.note(`${plural(taken.paths.length, "uncommitted change")} taken along`);
  return taken?.commit ?? project.head;
}
