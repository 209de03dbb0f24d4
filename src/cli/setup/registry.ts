import { createChatExecutor, createShellExecutor } from "../../agents/index.ts";
import type { AgentSettings, ChatAgentSettings, Config, ProviderSettings } from "../../config/index.ts";
import type { AgentExecution } from "../../engine/index.ts";
import { Registry } from "../../fleet/index.ts";
import { priceOf, SHELL_AGENT, type ModelPrice, type Upstream } from "../../models/index.ts";

/** Base URLs of scripted models that run, by provider id. */
export type ScriptedUrls = ReadonlyMap<string, string>;

/** Every agent of this machine: the built-in shell, then those of the settings. Starts nothing. */
export function buildRegistry(config: Config, scripted: ScriptedUrls): Registry<AgentExecution> {
  const registry = new Registry<AgentExecution>();
  registry.register({
    id: SHELL_AGENT,
    tier: "free",
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

function executionOf(agent: AgentSettings, config: Config, scripted: ScriptedUrls): { model?: string; executor: AgentExecution } {
  if (agent.executor === "shell") return { executor: { executor: createShellExecutor({ program: agent.command }), maxOutputTokens: 0 } };
  return {
    model: `${agent.provider}/${agent.model}`,
    executor: {
      executor: createChatExecutor({ maxTurns: agent.maxTurns }),
      maxOutputTokens: agent.maxOutputTokens,
      // When an attempt asks: a scripted model has an address only once it runs.
      get upstreams(): readonly [Upstream] {
        return [upstreamOf(agent, config, scripted)];
      },
    },
  };
}

function upstreamOf(agent: ChatAgentSettings, config: Config, scripted: ScriptedUrls): Upstream {
  const provider = providerOf(agent, config);
  const apiKey = provider.keyEnv === undefined ? undefined : config.secrets.get(provider.keyEnv);
  return {
    provider: provider.id,
    baseUrl: scripted.get(provider.id) ?? provider.url,
    ...(apiKey ? { apiKey } : {}),
    model: agent.model,
    price: priceFor(agent, provider),
  };
}

export function providerOf(agent: ChatAgentSettings, config: Config): ProviderSettings {
  const provider = config.providers.find((p) => p.id === agent.provider);
  if (!provider) throw new TypeError(`agent ${agent.id} has no provider ${agent.provider}`);
  return provider;
}

/** Configured, else nothing for one's own hardware, else what is known of the vendor's list. `undefined`: nobody knows. */
export function priceFor(agent: ChatAgentSettings, provider: ProviderSettings): ModelPrice | undefined {
  const own = provider.prices[agent.model];
  if (own) return { input: own.input, cachedInput: own.cachedInput, output: own.output, source: "configured" };
  if (provider.isLocal) return { input: 0, cachedInput: 0, output: 0, source: "local" };
  return priceOf(provider.id, agent.model);
}
