import { tierAt } from "./tiers.ts";
import { nearest } from "./yaml/nearest.ts";
import { named } from "./yaml/shown.ts";
import { ACP_PRESETS, type AgentSettings, type ChatAgentSettings, type ProgramAgentSettings, type ProviderSettings } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";

type AgentEntry = NonNullable<Settings["agents"]>[string];

const DEFAULT_CAPABILITIES = ["edit"];
const DEFAULT_OUTPUT_TOKENS = 8192;
const DEFAULT_TURNS = 50;
/** Coding agents write whole files in one answer. */
const DEFAULT_PROGRAM_OUTPUT_TOKENS = 32_000;

export interface ModelName {
  provider: string;
  model: string;
}

/** Takes `provider/model` apart at the first slash; a model's own name may hold more. */
export function parseModelName(text: string): ModelName | undefined {
  const [, provider, model] = /^([a-z0-9][a-z0-9_-]{0,63})\/(\S.*)$/.exec(text.trim()) ?? [];
  return provider !== undefined && model !== undefined ? { provider, model } : undefined;
}

/** `key`: the one of the agent's keys that is wrong; `model` unless told. */
export interface AgentFault {
  code: "BAD_MODEL" | "UNKNOWN_PROVIDER" | "MISSING_KEY" | "BAD_URL";
  message: string;
  hint: string;
  key?: string;
}
type Made<A> = { ok: true; agent: A } | { ok: false; fault: AgentFault };

/** What agents are made from. */
export interface AgentContext {
  providers: ReadonlyMap<string, ProviderSettings>;
  /** The project's, from the cheapest up. */
  tiers: readonly string[];
}

/** An agent of the settings with its defaults, or why it cannot be. Its tier, where it names one, is one of `tiers`. */
export function agentFrom(id: string, entry: AgentEntry, context: AgentContext): Made<AgentSettings> {
  const common = { id, capabilities: entry.capabilities ?? DEFAULT_CAPABILITIES };
  switch (entry.executor) {
    case "shell": {
      const { executor, command, tier = tierAt("weak", context.tiers), account = id } = entry;
      return { ok: true, agent: { ...common, executor, command, tier, account } };
    }
    case "http":
      return httpAgent(id, entry, common, context);
    case "acp":
    case "cli":
      return programAgent(entry, common, context);
    case "chat": {
      const chat = chatAgent(id, entry.model, context);
      if (!chat.ok) return chat;
      const { tier, account, maxOutputTokens, maxTurns, tools } = entry;
      return {
        ok: true,
        agent: {
          ...chat.agent,
          ...common,
          tier: tier ?? chat.agent.tier,
          account: account ?? chat.agent.account,
          maxOutputTokens: maxOutputTokens ?? chat.agent.maxOutputTokens,
          maxTurns: maxTurns ?? chat.agent.maxTurns,
          ...(tools === false ? { tools } : {}),
        },
      };
    }
    default:
      return entry satisfies never;
  }
}

type Common = Pick<AgentSettings, "id" | "capabilities">;

/** A bearer token crosses no network in the clear. */
function httpAgent(
  id: string,
  entry: Extract<AgentEntry, { executor: "http" }>,
  common: Common,
  { tiers }: AgentContext,
): Made<AgentSettings> {
  const { executor, url, protocol = "a2a", tier = tierAt("base", tiers), account = id } = entry;
  const tokenEnv = entry["token-env"];
  const { protocol: scheme, hostname } = new URL(url);
  if (scheme === "http:" && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)) {
    const message = `${named(url)} is not on this machine and not https`;
    return { ok: false, fault: { code: "BAD_URL", key: "url", message, hint: "Use https, or a tunnel to 127.0.0.1" } };
  }
  return { ok: true, agent: { ...common, executor, url, protocol, tier, account, ...(tokenEnv ? { tokenEnv } : {}) } };
}

/** What a login's limits are counted by: two ways of driving one program share it. */
const loginOf: Readonly<Record<string, string>> = { "claude-agent-acp": "claude", "codex-acp": "codex" };

function programAgent(
  entry: Extract<AgentEntry, { executor: "acp" | "cli" }>,
  common: Common,
  { providers, tiers }: AgentContext,
): Made<AgentSettings> {
  const { executor, credentials = "metered" } = entry;
  const [program, ...args] = entry.command ?? [];
  const preset = entry.preset ?? "acp";
  if (preset === "acp" && program === undefined) {
    const message = "An ACP agent needs a `preset` or a `command`";
    return { ok: false, fault: { code: "MISSING_KEY", key: "executor", message, hint: `Add \`preset\`: ${ACP_PRESETS.join(", ")}` } };
  }
  const made: Common & Pick<ProgramAgentSettings, "executor" | "preset" | "credentials" | "env" | "maxOutputTokens" | "command"> = {
    ...common,
    executor,
    preset,
    credentials,
    env: entry.env ?? {},
    maxOutputTokens: entry.maxOutputTokens ?? DEFAULT_PROGRAM_OUTPUT_TOKENS,
    ...(program === undefined ? {} : { command: [program, ...args] as const }),
  };
  const login = preset === "acp" ? common.id : (loginOf[preset] ?? preset);
  if (credentials === "direct") {
    const model = entry.model === undefined ? {} : { model: entry.model };
    return { ok: true, agent: { ...made, ...model, tier: entry.tier ?? tierAt("base", tiers), account: entry.account ?? login } };
  }
  if (entry.model === undefined) {
    const message = `\`model\` is missing: with credentials: ${credentials} the gateway must know what is asked for`;
    return {
      ok: false,
      fault: { code: "MISSING_KEY", key: "executor", message, hint: "Add `model: provider/model`, or `credentials: direct`" },
    };
  }
  const chosen = modelAt(entry.model, providers);
  if (!chosen.ok) return chosen;
  const { provider, model } = chosen;
  const tier = entry.tier ?? tierAt(provider.isLocal ? "weak" : "base", tiers);
  const account = entry.account ?? (credentials === "metered" ? provider.id : login);
  return { ok: true, agent: { ...made, provider: provider.id, model, tier, account } };
}

/** A chat agent on `provider/model` with everything else by default. */
export function chatAgent(id: string, modelText: string, { providers, tiers }: AgentContext): Made<ChatAgentSettings> {
  const chosen = modelAt(modelText, providers);
  if (!chosen.ok) return chosen;
  const { provider, model } = chosen;
  const agent: ChatAgentSettings = {
    id,
    executor: "chat",
    provider: provider.id,
    model,
    tier: tierAt(provider.isLocal ? "weak" : "base", tiers),
    capabilities: DEFAULT_CAPABILITIES,
    account: provider.id,
    maxOutputTokens: DEFAULT_OUTPUT_TOKENS,
    maxTurns: DEFAULT_TURNS,
  };
  return { ok: true, agent };
}

/** The provider and the model that `provider/model` names, or why it names none. */
export function modelAt(
  text: string,
  providers: ReadonlyMap<string, ProviderSettings>,
): { ok: true; provider: ProviderSettings; model: string } | { ok: false; fault: AgentFault } {
  const name = parseModelName(text);
  if (!name) {
    const message = `${named(text)} is not of the form provider/model`;
    return { ok: false, fault: { code: "BAD_MODEL", message, hint: "Write it like ollama/qwen3-coder or openai/gpt-5-mini" } };
  }
  const provider = providers.get(name.provider);
  if (provider) return { ok: true, provider, model: name.model };
  const near = nearest(name.provider, providers.keys());
  const hint = near
    ? `Did you mean ${named(near)}?`
    : `Providers: ${[...providers.keys()].join(", ")}. Add it under \`providers\`, or give --model-url`;
  return { ok: false, fault: { code: "UNKNOWN_PROVIDER", message: `There is no provider ${named(name.provider)}`, hint } };
}
