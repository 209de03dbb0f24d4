import type { RunState } from "../domain/index.ts";
import { openProject, openWorkspaces, type Workspaces } from "../workspace/index.ts";
import type { Config } from "../config/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { assemble, type Assembled } from "./assemble.ts";
import { withFound } from "./found-agents.ts";
import { buildRegistry } from "./registry.ts";
import { configFlags, readOptions, type RunOptions } from "./run-options.ts";
import { ScriptedModels } from "./scripted-models.ts";
import { homeOf, loadSettings } from "./settings.ts";

/** What it takes to drive a run that exists already. */
export interface OpenedRun extends AsyncDisposable {
  config: Config;
  assembled: Assembled;
  workspaces: Workspaces;
  scripted: ScriptedModels;
}

/** With the settings of the run's base commit and the options it was started with, which `more` overrides. Starts no model. */
export async function openRun(
  cli: Surroundings,
  state: RunState,
  more: RunOptions = {},
  tell?: (notice: string) => void,
): Promise<OpenedRun> {
  const { runId } = state;
  const project = await openProject(state.project, { env: cli.env });
  const saved = readOptions(homeOf(cli), runId);
  const given = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  const options: RunOptions = { ...saved, ...given };
  const settings = await loadSettings(cli, { project, at: state.base, flags: configFlags(options), secrets: state.pipeline.secrets });
  const config = await withFound(cli, settings, { pipeline: state.pipeline, recorded: state.agents });
  const scripted = new ScriptedModels(config.home, runId);
  for (const id of saved.scripted ?? []) await scripted.stop(id);
  const registry = buildRegistry(config, scripted.urls);
  const assembled = await assemble(cli, {
    config,
    project,
    registry,
    scripted,
    keepWorkspaces: options.keep === true,
    ...(tell ? { tell } : {}),
  });
  const workspaces = openWorkspaces({ project, home: config.home });
  return {
    config,
    assembled,
    workspaces,
    scripted,
    [Symbol.asyncDispose]: async () => {
      await workspaces.close();
      await assembled[Symbol.asyncDispose]();
    },
  };
}
