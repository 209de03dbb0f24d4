import { nearest } from "./yaml/nearest.ts";
import { named } from "./yaml/shown.ts";
import type { AgentSettings, ChatAgentSettings, ProviderSettings } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";

type AgentEntry = NonNullable<Settings["agents"]>[string];

const DEFAULT_CAPABILITIES = ["edit"];
const DEFAULT_OUTPUT_TOKENS = 8192;
const DEFAULT_TURNS = 50;

export interface ModelName {
  provider: string;
  model: string;
}

/** Takes `provider/model` apart at the first slash; a model's own name may hold more. */
export function parseModelName(text: string): ModelName | undefined {
  const [, provider, model] = /^([a-z0-9][a-z0-9_-]{0,63})\/(\S.*)$/.exec(text.trim()) ?? [];
  return provider !== undefined && model !== undefined ? { provider, model } : undefined;
}

export type AgentFault = { code: "BAD_MODEL" | "UNKNOWN_PROVIDER"; message: string; hint: string };

/** An agent of the settings with its defaults, or why its model cannot be. */
export function agentFrom(
  id: string,
  entry: AgentEntry,
  providers: ReadonlyMap<string, ProviderSettings>,
): { ok: true; agent: AgentSettings } | { ok: false; fault: AgentFault } {
  const capabilities = entry.capabilities ?? DEFAULT_CAPABILITIES;
  if (entry.executor === "shell") {
    return {
      ok: true,
      agent: {
        id,
        executor: "shell",
        command: entry.command,
        tier: entry.tier ?? "free",
        capabilities,
        account: entry.account ?? id,
      },
    };
  }
  const chat = chatAgent(id, entry.model, providers);
  if (!chat.ok) return chat;
  const { tier, account, maxOutputTokens, maxTurns } = entry;
  return {
    ok: true,
    agent: {
      ...chat.agent,
      capabilities,
      tier: tier ?? chat.agent.tier,
      account: account ?? chat.agent.account,
      maxOutputTokens: maxOutputTokens ?? chat.agent.maxOutputTokens,
      maxTurns: maxTurns ?? chat.agent.maxTurns,
    },
  };
}

/** A chat agent on `provider/model` with everything else by default. */
export function chatAgent(
  id: string,
  modelText: string,
  providers: ReadonlyMap<string, ProviderSettings>,
): { ok: true; agent: ChatAgentSettings } | { ok: false; fault: AgentFault } {
  const name = parseModelName(modelText);
  if (!name) {
    return {
      ok: false,
      fault: {
        code: "BAD_MODEL",
        message: `${named(modelText)} is not of the form provider/model`,
        hint: "Write it like ollama/qwen3-coder or openai/gpt-5-mini",
      },
    };
  }
  const provider = providers.get(name.provider);
  if (!provider) {
    const near = nearest(name.provider, providers.keys());
    const hint = near
      ? `Did you mean ${named(near)}?`
      : `Providers: ${[...providers.keys()].join(", ")}. Add it under \`providers\`, or give --model-url`;
    return { ok: false, fault: { code: "UNKNOWN_PROVIDER", message: `There is no provider ${named(name.provider)}`, hint } };
  }
  const agent: ChatAgentSettings = {
    id,
    executor: "chat",
    provider: provider.id,
    model: name.model,
    tier: provider.isLocal ? "free" : "mid",
    capabilities: DEFAULT_CAPABILITIES,
    account: provider.id,
    maxOutputTokens: DEFAULT_OUTPUT_TOKENS,
    maxTurns: DEFAULT_TURNS,
  };
  return { ok: true, agent };
}
