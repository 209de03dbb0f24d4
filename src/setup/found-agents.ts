import { presets } from "../agents/index.ts";
import { agentFrom, defaultTierIn, type AgentSettings, type Config, type Origin, withFallback } from "../config/index.ts";
import { workSteps, type Pipeline } from "../domain/index.ts";
import {
  agentCapabilities,
  askLocal,
  blended,
  HOSTED_MODELS,
  hostedAgentId,
  localAgentId,
  priceOf,
  type HostedModel,
  type LocalListing,
} from "../models/index.ts";
import { RequestError } from "./failure.ts";
import { agentsOnPath } from "./find-agents.ts";
import { isGatewayAgent, priceFor, providerOf } from "./registry.ts";
import type { Surroundings } from "./surroundings.ts";

/** Servers whose list of models makes agents. */
const LOCAL_PROVIDERS = ["ollama", "localai"] as const;

/** What local servers answered, by provider; nothing of those that were not asked. */
export type Listings = ReadonlyMap<string, LocalListing>;

/** Ids that agents may have which nobody wrote into the settings. */
export const mayBeFound = (id: string): boolean =>
  HOSTED_MODELS.some((m) => hostedAgentId(m.model) === id) ||
  LOCAL_PROVIDERS.some((provider) => id.startsWith(`${provider}-`)) ||
  (id !== "acp" && Object.hasOwn(presets, id));

/** Asks each local server that is configured which models it has; once in the life of the process. */
export async function askServers(config: Config): Promise<Listings> {
  const servers = config.providers.filter((p) => LOCAL_PROVIDERS.some((id) => id === p.id) && p.script === undefined && p.ready.ok);
  const answers = servers.map(async ({ id, url, keyEnv }) => {
    const apiKey = keyEnv === undefined ? undefined : config.secrets.get(keyEnv);
    return [id, await askLocal({ provider: id, url, apiKey })] as const;
  });
  return new Map(await Promise.all(answers));
}

/** Why nobody can be asked for this hosted model; `undefined`: somebody can. */
export function notReady({ provider: id }: Pick<HostedModel, "provider">, config: Config): string | undefined {
  const provider = config.providers.find((p) => p.id === id);
  if (!provider?.isVendor) return `providers.${id} is another server`;
  return provider.ready.ok ? undefined : `needs ${provider.keyEnv ?? "a key"}`;
}

/** The settings with the agents that are found beside them: those of the settings come first, and their ids win. Asks nobody. */
export function addFound(config: Config, path: string | undefined, listings: Listings): Config {
  if (!config.catalog) return config;
  const taken = new Set(config.agents.map((a) => a.id));
  const found = [...hosted(config), ...local(config, listings), ...programs(config, path)].filter(({ agent }) => {
    const isNew = !taken.has(agent.id);
    taken.add(agent.id);
    return isNew;
  });
  const price = ({ agent }: Found): number => {
    const known = isGatewayAgent(agent) ? priceFor(agent, providerOf(agent, config)) : undefined;
    return known ? blended(known) : Infinity;
  };
  const rank = ({ agent }: Found): number => config.tiers.indexOf(agent.tier);
  const byCost = found.toSorted((a, b) => rank(a) - rank(b) || price(a) - price(b));
  return {
    ...config,
    agents: [...config.agents, ...byCost.map((f) => withFallback(f.agent, config))],
    origins: { ...config.origins, ...Object.fromEntries(byCost.map((f) => [`agents.${f.agent.id}`, f.origin])) },
  };
}

interface Found {
  agent: AgentSettings;
  origin: Origin;
}

const contextOf = (config: Config) => ({ providers: new Map(config.providers.map((p) => [p.id, p])), tiers: config.tiers });

function hosted(config: Config): Found[] {
  return HOSTED_MODELS.flatMap((known): Found[] => {
    if (notReady(known, config) !== undefined) return [];
    const { provider, model, can } = known;
    const entry = { executor: "chat", model: `${provider}/${model}`, tier: defaultTierIn(known.tier, config.tiers) } as const;
    const made = agentFrom(hostedAgentId(model), { ...entry, capabilities: agentCapabilities(can) }, contextOf(config));
    const name = config.providers.find((p) => p.id === provider)?.keyEnv ?? provider;
    return made.ok ? [{ agent: made.agent, origin: { kind: "found", by: "key", name } }] : [];
  });
}

function local(config: Config, listings: Listings): Found[] {
  return [...listings].flatMap(([provider, listing]) =>
    (listing.ok ? listing.models : []).flatMap(({ model, unfit }): Found[] => {
      if (unfit !== undefined) return [];
      const made = agentFrom(localAgentId(provider, model), { executor: "chat", model: `${provider}/${model}` }, contextOf(config));
      return made.ok ? [{ agent: made.agent, origin: { kind: "found", by: "server", name: provider } }] : [];
    }),
  );
}

/** Programs that are installed, each on the dearest `mid` model of the first vendor that has a key and speaks what it speaks. */
function programs(config: Config, path: string | undefined): Found[] {
  const ready = HOSTED_MODELS.filter((m) => m.tier === "mid" && notReady(m, config) === undefined);
  return agentsOnPath(path, config).found.flatMap(({ preset, program }): Found[] => {
    if (preset.id === "acp" || !preset.modes.includes("metered")) return [];
    const vendor = config.providers.find((p) => p.protocols.includes(preset.format) && ready.some((m) => m.provider === p.id));
    if (!vendor) return [];
    const price = ({ provider, model }: HostedModel): number => blended(priceOf(provider, model) ?? { input: 0, output: 0 });
    const [best] = ready.filter((m) => m.provider === vendor.id).toSorted((a, b) => price(b) - price(a));
    if (!best) return [];
    const common = { model: `${best.provider}/${best.model}`, tier: defaultTierIn(best.tier, config.tiers) };
    const entry = { executor: preset.executor, preset: preset.id, ...common } as Parameters<typeof agentFrom>[1];
    const made = agentFrom(preset.id, entry, contextOf(config));
    return made.ok ? [{ agent: made.agent, origin: { kind: "found", by: "program", name: program } }] : [];
  });
}

/** An agent as a run's log has it. */
interface RecordedAgent {
  id: string;
  tier: string;
  executor: string;
  model?: string | undefined;
}

/**
 * The settings with all agents that are found for a pipeline. Local servers are asked only when one of their models could get a step.
 * `recorded`: agents that the run began with; those of a local server that does not answer now are there all the same. Throws
 * AGENT_NOT_READY when the default agent is one that could be found and was not.
 */
export async function withFound(
  { env }: Pick<Surroundings, "env">,
  config: Config,
  need: { pipeline: Pipeline; recorded?: readonly RecordedAgent[] } | "servers" | "no servers",
): Promise<Config> {
  if (!config.catalog) return config;
  const asks = typeof need === "object" ? mayNeedServers(need.pipeline, config) : need === "servers";
  const listings = asks ? await askServers(config) : new Map<string, LocalListing>();
  const recorded = typeof need === "object" ? (need.recorded ?? []) : [];
  const all = withRecorded(addFound(config, env["PATH"], listings), recorded);
  const { defaultAgent } = all;
  if (defaultAgent !== undefined && typeof need === "object" && !all.agents.some((a) => a.id === defaultAgent))
    throw new RequestError(
      "AGENT_NOT_READY",
      `the default agent ${defaultAgent} is not ready: it ${whyNotFound(defaultAgent, config) ?? "was not found"}`,
      "`stepfall models` shows what there is, and what the rest needs.",
    );
  return all;
}

function withRecorded(config: Config, recorded: readonly RecordedAgent[]): Config {
  const missing = recorded.flatMap(({ id, tier, executor, model }): AgentSettings[] => {
    const isLocal = LOCAL_PROVIDERS.some((provider) => model?.startsWith(`${provider}/`));
    if (executor !== "chat" || model === undefined || !isLocal || config.agents.some((a) => a.id === id)) return [];
    const made = agentFrom(id, { executor, model, tier }, contextOf(config));
    return made.ok ? [made.agent] : [];
  });
  return missing.length === 0 ? config : { ...config, agents: [...config.agents, ...missing] };
}

function mayNeedServers(pipeline: Pipeline, config: Config): boolean {
  const isOurs = (id: string | undefined): boolean => config.agents.some((a) => a.id === id);
  const rules = config.routing.rules.length > 0;
  return [...workSteps(pipeline.steps)].some((step) => {
    if (step.kind !== "agent") return false;
    const { id, tier, capability } = step.agent;
    if (rules) return true;
    if (id !== undefined) return !isOurs(id);
    return tier !== undefined || capability.length > 0 || !isOurs(config.defaultAgent);
  });
}

/** What an agent that could be found lacks, as a clause; `undefined`: nobody knows it, or only its server could tell. */
export function whyNotFound(id: string, config: Config): string | undefined {
  const model = HOSTED_MODELS.find((m) => hostedAgentId(m.model) === id);
  if (model)
    return config.catalog
      ? notReady(model, config)
      : "is a known model, and the settings name agents of their own (`catalog: true` adds the known ones), or --model was given";
  const preset = Object.values(presets).find((p) => p.id === id && p.id !== "acp");
  if (preset) return `needs ${preset.argv[0]} in the PATH (${preset.install}), and a key for a model that it can use`;
  const provider = LOCAL_PROVIDERS.find((p) => id.startsWith(`${p}-`));
  return provider && `needs the server ${provider} with that model`;
}
