import { availableParallelism } from "node:os";
import { createFunctionExecutor, type FunctionHandler } from "../agents/index.ts";
import { formatProblems, loadConfig, type Config } from "../config/index.ts";
import type { Pipeline } from "../domain/index.ts";
import type { Project, Workspaces } from "../workspace/index.ts";
import { LibraryError } from "./errors.ts";
import { assemble, type Assembled } from "../setup/assemble.ts";
import { withFound } from "../setup/found-agents.ts";
import { requireSandbox } from "../setup/isolation.ts";
import { buildRegistry } from "../setup/registry.ts";
import { ScriptedModels } from "../setup/scripted-models.ts";
import type { Surroundings } from "../setup/surroundings.ts";

/** How a function is registered as an agent. */
export interface FunctionAgentOptions {
  /** Default: the project's first. */
  tier?: string;
  /** What it says it can do; a step may ask for it. */
  capabilities?: readonly string[];
  /** Attempts at a time. Default: as many as there are slots. */
  slots?: number;
  /** False: it touches no file and gets no workspace. Default true. */
  needsWorkspace?: boolean;
  /** Id of an agent of the settings whose model it may call: `context.gateway` is then there, metered and within budgets. */
  modelOf?: string;
}

export interface FunctionAgent extends FunctionAgentOptions {
  id: string;
  handler: FunctionHandler;
}

/** What an engine is opened from. */
export interface EngineRequest {
  surroundings: Surroundings;
  home: string;
  project: Project;
  /** Text of the settings; null: there are none. */
  settings: string | null;
  slots: number | undefined;
  /** The environment and the secrets, for the settings. */
  secretEnv: Surroundings["env"];
  /** Names of secrets to be hidden. */
  secretNames: readonly string[];
  functions: Iterable<FunctionAgent>;
  /** The run it is opened for: scripted models are on record beside it. */
  runId: string;
}

/** The engine that all runs of one `Stepfall` share, with the settings it was made from. */
export interface OpenEngine extends AsyncDisposable {
  config: Config;
  assembled: Assembled;
  scripted: ScriptedModels;
  register(agent: FunctionAgent): void;
  /** Whether a run with these settings and secrets can be driven by it. */
  fits(settings: string | null, secretNames: readonly string[]): boolean;
}

const FILE = "stepfall.yaml";

/** The project's settings as a commit has them; null when it has none. */
export async function settingsAt(workspaces: Workspaces, commit: string): Promise<string | null> {
  const bytes = await workspaces.readFile(commit, FILE);
  return bytes ? new TextDecoder().decode(bytes) : null;
}

/** Throws SETTINGS_INVALID. Starts nothing. */
export async function openEngine(request: EngineRequest): Promise<OpenEngine> {
  const { surroundings, home, project, secretNames, settings } = request;
  const loaded = loadConfig({
    env: request.secretEnv,
    cwd: project.top,
    home,
    flags: request.slots === undefined ? {} : { slots: request.slots },
    secretNames,
    cores: availableParallelism(),
    projectDir: project.top,
    projectText: settings,
    projectFile: FILE,
  });
  if (!loaded.ok)
    throw new LibraryError(
      "SETTINGS_INVALID",
      formatProblems(loaded.problems, settings === null ? {} : { [FILE]: settings }),
      "Correct the settings.",
    );
  const config = await withFound({ env: surroundings.env }, loaded.config, "servers");
  await requireSandbox(surroundings, config);
  const scripted = new ScriptedModels(home, request.runId);
  const registry = buildRegistry(config, scripted.urls);
  const register = (agent: FunctionAgent): void => {
    const { id, handler, tier = config.tiers[0] ?? "free", capabilities = [], slots, needsWorkspace, modelOf } = agent;
    const model = modelOf === undefined ? undefined : registry.get(modelOf);
    registry.register({
      id,
      tier,
      capabilities: [...capabilities],
      takesPrompts: true,
      executorKind: "function",
      account: slots === undefined ? id : `function:${id}`,
      ...(model?.model === undefined ? {} : { model: model.model }),
      executor: {
        executor: createFunctionExecutor(handler, { name: id, needsWorkspace, mask: (said) => config.secrets.mask(said) }),
        maxOutputTokens: model?.executor.maxOutputTokens ?? 0,
        get upstreams() {
          return model?.executor.upstreams;
        },
      },
    });
    if (slots !== undefined) registry.limitAccount(`function:${id}`, slots);
  };
  for (const agent of request.functions) register(agent);
  const assembled = await assemble(surroundings, { config, project, registry, scripted, keepWorkspaces: false });
  const hidden = new Set(secretNames);
  return {
    config,
    assembled,
    scripted,
    register,
    fits: (text, names) => text === settings && names.every((name) => hidden.has(name)),
    [Symbol.asyncDispose]: () => assembled[Symbol.asyncDispose](),
  };
}

/** Every secret that the pipeline names is there, before anything starts. */
export function requireSecrets(pipeline: Pipeline, config: Config): void {
  const unset = (pipeline.secrets ?? []).filter((name) => config.secrets.get(name) === undefined);
  if (unset.length === 0) return;
  throw new LibraryError(
    "SECRET_MISSING",
    `the pipeline needs the secrets ${unset.join(", ")}, which nobody has set`,
    "Give them: new Stepfall({ secrets: { NAME: value } }).",
  );
}
