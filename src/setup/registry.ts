import { isAbsolute } from "node:path";
import {
  agentsWithOwnSandbox,
  createAcpExecutor,
  createChatExecutor,
  createCliExecutor,
  createHttpExecutor,
  createShellExecutor,
  presets,
  type Executor,
} from "../agents/index.ts";
import {
  tierAt,
  type AgentSettings,
  type Config,
  type HttpAgentSettings,
  type ProgramAgentSettings,
  type ProviderSettings,
} from "../config/index.ts";
import type { AgentExecution } from "../engine/index.ts";
import { Registry } from "../fleet/index.ts";
import { priceOf, SHELL_AGENT, type ModelPrice, type Upstream } from "../models/index.ts";
import { textChatMain } from "./text-chat.ts";

/** Base URLs of scripted models that run, by provider id. */
export type ScriptedUrls = ReadonlyMap<string, string>;

/** Every agent of this machine: the built-in shell, then those of the settings. Starts nothing. */
export function buildRegistry(config: Config, scripted: ScriptedUrls): Registry<AgentExecution> {
  const registry = new Registry<AgentExecution>();
  registry.register({
    id: SHELL_AGENT,
    tier: tierAt("weak", config.tiers),
    capabilities: [],
    takesPrompts: false,
    executorKind: "shell",
    account: SHELL_AGENT,
    executor: { executor: createShellExecutor(), maxOutputTokens: 0 },
  });
  for (const agent of config.agents) registry.register({ ...common(agent), ...executionOf(agent, config, scripted) });
  for (const [account, slots] of Object.entries(config.accountSlots)) registry.limitAccount(account, slots);
  return registry;
}

const common = ({ id, tier, capabilities, account, executor }: AgentSettings) => ({
  id,
  tier,
  capabilities,
  account,
  takesPrompts: true,
  executorKind: executor,
});

/** An agent whose calls pass through the gateway. */
export type GatewayAgent = Exclude<AgentSettings, { executor: "shell" | "http" }> & { provider: string; model: string };

export const isGatewayAgent = (agent: AgentSettings): agent is GatewayAgent =>
  "provider" in agent && agent.provider !== undefined && agent.model !== undefined;

function executionOf(agent: AgentSettings, config: Config, scripted: ScriptedUrls): { model?: string; executor: AgentExecution } {
  const executor = executorOf(agent, config);
  const credentials = agent.executor === "acp" || agent.executor === "cli" ? agent.credentials : undefined;
  const quota = config.quota && { quota: config.quota };
  const own = { executor, ...quota, ...(credentials && credentials !== "metered" ? { credentials } : {}), ...placeOf(agent) };
  if (!isGatewayAgent(agent)) {
    const model = "model" in agent && agent.model !== undefined ? { model: agent.model } : {};
    return { ...model, executor: { ...own, maxOutputTokens: 0 } };
  }
  return {
    model: `${agent.provider}/${agent.model}`,
    executor: {
      ...own,
      maxOutputTokens: agent.maxOutputTokens,
      // When an attempt asks: a scripted model has an address only once it runs.
      get upstreams(): readonly [Upstream, ...Upstream[]] {
        const [first, ...more] = chainOf(agent);
        return [upstreamOf(agent.id, first, config, scripted), ...more.map((next) => upstreamOf(agent.id, next, config, scripted))];
      },
    },
  };
}

/** What a sandbox must know of an agent. */
function placeOf(agent: AgentSettings): Pick<AgentExecution, "hasOwnSandbox" | "login" | "programs"> {
  if (agent.executor === "shell") return { programs: agent.command.match(/(?<![\w.])\/[^\s'";|&()]+/g) ?? [] };
  if (agent.executor !== "acp" && agent.executor !== "cli") return {};
  const programs = (agent.command ?? []).filter((word) => isAbsolute(word));
  return { hasOwnSandbox: agentsWithOwnSandbox[agent.preset] !== undefined, login: presets[agent.preset].login, programs };
}

function executorOf(agent: AgentSettings, config: Config): Executor {
  switch (agent.executor) {
    case "shell":
      return createShellExecutor({ program: agent.command });
    case "chat":
      return createChatExecutor({ maxTurns: agent.maxTurns, ...(agent.tools === false ? { tools: false, main: textChatMain } : {}) });
    case "acp":
      return createAcpExecutor(programOptions(agent));
    case "cli":
      return createCliExecutor(programOptions(agent));
    case "http":
      return httpExecutor(agent, config);
    default:
      return agent satisfies never;
  }
}

const programOptions = ({ preset, command, model, env, credentials }: ProgramAgentSettings) => ({
  preset: presets[preset],
  command,
  model,
  env,
  credentials,
});

function httpExecutor({ url, protocol, tokenEnv }: HttpAgentSettings, { secrets }: Config): Executor {
  const token = tokenEnv === undefined ? undefined : secrets.get(tokenEnv);
  return createHttpExecutor({ url, protocol, ...(token === undefined ? {} : { token }), mask: (text) => secrets.mask(text) });
}

/** The models that may answer an agent, in the order in which they are asked. */
export const chainOf = ({ provider, model, chain }: GatewayAgent): readonly [ModelName, ...ModelName[]] => chain ?? [{ provider, model }];

type ModelName = Pick<GatewayAgent, "provider" | "model">;

function upstreamOf(id: string, named: ModelName, config: Config, scripted: ScriptedUrls): Upstream {
  const provider = providerOf({ id, ...named }, config);
  const apiKey = provider.keyEnv === undefined ? undefined : config.secrets.get(provider.keyEnv);
  const url = scripted.get(provider.id);
  return {
    provider: provider.id,
    baseUrl: url ?? provider.url,
    bases: url === undefined ? provider.bases : scriptedBases(url, provider),
    ...(apiKey ? { apiKey } : {}),
    model: named.model,
    price: priceFor(named, provider),
  };
}

/** The bundled scripted model speaks every format below one origin; it offers those that the settings leave it. */
function scriptedBases(url: string, { protocols }: ProviderSettings): Upstream["bases"] {
  return Object.fromEntries(protocols.map((protocol) => [protocol, new URL(protocol === "gemini" ? "/v1beta" : "/v1", url).href]));
}

export function providerOf(agent: Pick<GatewayAgent, "id" | "provider">, config: Config): ProviderSettings {
  const provider = config.providers.find((p) => p.id === agent.provider);
  if (!provider) throw new TypeError(`agent ${agent.id} has no provider ${agent.provider}`);
  return provider;
}

/** Configured, else nothing for one's own hardware, else what is known of the vendor's list. `undefined`: nobody knows. */
export function priceFor(agent: Pick<GatewayAgent, "model">, provider: ProviderSettings): ModelPrice | undefined {
  const own = provider.prices[agent.model];
  if (own) return { input: own.input, cachedInput: own.cachedInput, cacheWrite: own.cacheWrite, output: own.output, source: "configured" };
  if (provider.isLocal) return { input: 0, cachedInput: 0, output: 0, source: "local" };
  return priceOf(provider.id, agent.model);
}
