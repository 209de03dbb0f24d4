import { existsSync } from "node:fs";
import { requireAgain } from "../../control/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { findRun, loadRun } from "../../setup/find-run.ts";
import { readOptions, type RunOptions } from "../../setup/run-options.ts";
import { homeOf } from "../../setup/settings.ts";
import { withStore } from "../../setup/store.ts";
import { openProject } from "../../workspace/index.ts";
import type { Cli } from "../cli.ts";
import { commandLine } from "../show/summary.ts";
import type { Runnable, RunFlags } from "./run.ts";

const MICRO_USD = 1_000_000;

/**
 * `stepfall run --again RUN`: the pipeline as that run had it, with its inputs, its budget and the options it was started with, which `flags` override;
 * from the commit that is checked out in its project now.
 */
export async function runnableAgain(cli: Cli, given: string, flags: RunFlags): Promise<{ runnable: Runnable; flags: RunFlags }> {
  if ((flags.with ?? []).length > 0)
    throw new RequestError("USAGE", "--with and --again exclude each other", "--again takes the inputs of the run it names.");
  const state = await withStore(cli, async (store) => loadRun(store, (await findRun(cli, store, given)).runId));
  requireAgain(state);
  const { runId, pipeline, inputs, source } = state;
  const project = await openProject(state.project, { env: cli.env });
  const { model, modelUrl, agent, slots, grace, keep, sandbox } = readOptions(homeOf(cli), runId);
  const before: RunOptions = { model, modelUrl, agent, slots, grace, keep, sandbox };
  const budget = pipeline.budget === undefined ? undefined : (pipeline.budget / MICRO_USD).toFixed(6);
  const said = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const isThere = source !== undefined && !source.startsWith(homeOf(cli)) && existsSync(source);
  const now = isThere ? `. As the file is now: ${commandLine(cli, "run", source)}` : "";
  cli.out.note(`again: ${pipeline.name} as run ${runId} had it${now}`);
  return { runnable: { pipeline, inputs, project, ...(source === undefined ? {} : { source }) }, flags: { ...before, budget, ...said } };
}
