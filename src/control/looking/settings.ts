import type { AgentSettings, Config, Origin, ProviderSettings } from "../../config/index.ts";
import { isTyped } from "../../setup/failure.ts";
import { withFound } from "../../setup/found-agents.ts";
import { loadSettings } from "../../setup/settings.ts";
import type { Surroundings } from "../../setup/surroundings.ts";
import { openProject } from "../../workspace/index.ts";
import { maskData } from "../mask-data.ts";

/** Settings as they count, without a secret in them: of keys only the names, of an agent's variables too. */
export interface ShownSettings {
  project?: string;
  home: string;
  files: Config["files"];
  slots: number;
  graceMs: number;
  tiers: readonly string[];
  agents: readonly ShownAgent[];
  providers: readonly ShownProvider[];
  defaultAgent?: string | undefined;
  routing: Config["routing"];
  fallback: Config["fallback"];
  budgets: Config["budgets"];
  isolation: Omit<Config["isolation"], "env"> & { env: readonly string[] };
  sandbox: Config["sandbox"];
  quota?: Config["quota"];
  protected: readonly string[];
  setup: readonly string[];
  teardown: readonly string[];
  /** Where each comes from, by its dotted path. */
  origins: Readonly<Record<string, Origin>>;
}

export interface ShownAgent {
  id: string;
  tier: string;
  executor: string;
  account: string;
  capabilities: readonly string[];
  provider?: string;
  model?: string;
  preset?: string;
  credentials?: string;
  url?: string;
}

export interface ShownProvider {
  id: string;
  url: string;
  isLocal: boolean;
  isScripted: boolean;
  protocols: readonly string[];
  /** Name of the variable that holds its key. */
  keyEnv?: string;
  ready: ProviderSettings["ready"];
}

/** What is set for a folder's project, or, without a folder, for the user; local servers are not asked for their models. Or why it cannot be read. */
export async function readSettings(cli: Surroundings, folder: string | undefined): Promise<{ config: Config } | { problem: string }> {
  try {
    const project = folder === undefined ? undefined : await openProject(folder, { env: cli.env });
    const settings = await loadSettings(cli, project ? { project, at: project.head } : {});
    return { config: await withFound(cli, settings, "no servers") };
  } catch (error) {
    if (error instanceof Error && (isTyped(error) || error.name === "InputProblems")) return { problem: error.message };
    throw error;
  }
}

export function shownSettings(config: Config, project: string | undefined): ShownSettings {
  const { home, files, slots, graceMs, tiers, defaultAgent, routing, fallback, budgets, isolation, sandbox, quota, origins } = config;
  const { setup, teardown } = config;
  const shown: ShownSettings = {
    ...(project === undefined ? {} : { project }),
    home,
    files,
    slots,
    graceMs,
    tiers,
    defaultAgent,
    routing,
    fallback,
    budgets,
    sandbox,
    origins,
    setup,
    teardown,
    agents: config.agents.map(shownAgent),
    providers: config.providers.map(shownProvider),
    isolation: { ...isolation, env: Object.keys(isolation.env) },
    ...(quota ? { quota } : {}),
    protected: config.protected ?? [],
  };
  return maskData(shown, (text) => config.secrets.mask(text));
}

function shownAgent(agent: AgentSettings): ShownAgent {
  const { id, tier, executor, account, capabilities } = agent;
  const shown: ShownAgent = { id, tier, executor, account, capabilities };
  if ("provider" in agent && agent.provider !== undefined) shown.provider = agent.provider;
  if ("model" in agent && agent.model !== undefined) shown.model = agent.model;
  if ("preset" in agent) shown.preset = agent.preset;
  if ("credentials" in agent) shown.credentials = agent.credentials;
  if ("url" in agent) shown.url = withoutUser(agent.url);
  return shown;
}

function shownProvider({ id, url, isLocal, script, protocols, keyEnv, ready }: ProviderSettings): ShownProvider {
  const shown = { id, url: withoutUser(url), isLocal, isScripted: script !== undefined, protocols, ready };
  return keyEnv === undefined ? shown : { ...shown, keyEnv };
}

/** A name and a password may stand in an address. */
function withoutUser(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  if (parsed.username === "" && parsed.password === "") return url;
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}
