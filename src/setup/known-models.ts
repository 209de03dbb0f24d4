import type { AgentPreset } from "../agents/index.ts";
import { defaultTierIn, type Config, type ProviderSettings } from "../config/index.ts";
import { blended, HOSTED_MODELS, type ModelFeature, type ModelPrice } from "../models/index.ts";
import { agentsOnPath } from "./find-agents.ts";
import { notReady, type Listings } from "./found-agents.ts";
import { chainOf, isGatewayAgent, priceFor } from "./registry.ts";

/** A model that is known here, whether or not it can be asked. */
export interface KnownModel {
  provider: string;
  /** As the provider calls it. */
  model: string;
  /** Of its agents, where they agree; else what the catalog says, else nothing. */
  tier: string | undefined;
  /** Micro-dollars per million tokens; `undefined`: nobody knows. */
  price: ModelPrice | undefined;
  /** Tokens; `undefined`: nobody said. */
  context: number | undefined;
  can: readonly ModelFeature[];
  from: "catalog" | "settings" | "server";
  ready: { ok: true } | { ok: false; why: string };
  /** Ids of the agents that ask it. */
  agents: readonly string[];
}

/** All models of the catalog, of the settings and of local servers, by tier and price. `config`: with the agents that were found. */
export function knownModels(config: Config, listings: Listings): KnownModel[] {
  const models = new Map<string, Omit<KnownModel, "agents" | "price">>();
  const add = (model: Omit<KnownModel, "agents" | "price">): void => {
    const name = `${model.provider}/${model.model}`;
    if (!models.has(name)) models.set(name, model);
  };
  for (const known of HOSTED_MODELS) {
    const why = notReady(known, config);
    const { provider, model, context, can } = known;
    const tier = defaultTierIn(known.tier, config.tiers);
    // Of a server that took the vendor's name nobody knows what it has.
    if (config.providers.some((p) => p.id === provider && p.isVendor))
      add({ provider, model, tier, context, can, from: "catalog", ready: why === undefined ? { ok: true } : { ok: false, why } });
  }
  const plain = { tier: undefined, context: undefined, can: [] };
  for (const [provider, listing] of listings)
    for (const { model, unfit } of listing.ok ? listing.models : [])
      add({ ...plain, provider, model, from: "server", ready: unfit === undefined ? { ok: true } : { ok: false, why: unfit } });
  for (const agent of config.agents.filter(isGatewayAgent))
    for (const { provider, model } of chainOf(agent))
      add({ ...plain, provider, model, from: "settings", ready: readiness(provider, config) });
  for (const provider of config.providers)
    for (const model of Object.keys(provider.prices))
      add({ ...plain, provider: provider.id, model, from: "settings", ready: readiness(provider.id, config) });

  return [...models.values()].map((model) => withAgents(model, config)).toSorted(byCost(config.tiers));
}

function withAgents(model: Omit<KnownModel, "agents" | "price">, config: Config): KnownModel {
  const agents = config.agents.filter(isGatewayAgent).filter((a) => a.provider === model.provider && a.model === model.model);
  const tiers = new Set(agents.map((a) => a.tier));
  const [tier] = tiers.size === 1 ? tiers : [model.tier];
  const provider = config.providers.find((p) => p.id === model.provider);
  return { ...model, tier, price: provider && priceFor(model, provider), agents: agents.map((a) => a.id) };
}

function readiness(id: string, { providers }: Config): KnownModel["ready"] {
  const provider: ProviderSettings | undefined = providers.find((p) => p.id === id);
  if (!provider) return { ok: false, why: "its provider is not known" };
  return provider.ready.ok ? { ok: true } : { ok: false, why: `needs ${provider.keyEnv ?? "a key"}` };
}

const byCost =
  (tiers: readonly string[]) =>
  (a: KnownModel, b: KnownModel): number => {
    const rank = ({ tier }: KnownModel): number => (tier === undefined ? tiers.length : tiers.indexOf(tier));
    const price = (m: KnownModel): number => (m.price ? blended(m.price) : Infinity);
    // Infinity less Infinity is no number.
    return rank(a) - rank(b) || (price(a) === price(b) ? 0 : price(a) - price(b)) || (a.provider < b.provider ? -1 : 1);
  };

/** Programs that are installed and are no agent, though they could be. */
export function idlePrograms(config: Config, path: string | undefined): { preset: AgentPreset; program: string }[] {
  return agentsOnPath(path, config).found;
}
