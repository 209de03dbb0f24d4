import { modelAt, type ModelName } from "./agents.ts";
import type { Loading } from "./loading.ts";
import type { AgentSettings, Config, ProviderSettings, QuotaSettings } from "./settings.ts";
import type { SettingsFile } from "./settings-file.ts";
import { named } from "./yaml/shown.ts";

const HOLD_MS = 60_000;
const MOST_MS = 6 * 3_600_000;

/** What is done when a provider's limit is met; `undefined`: switched off. */
export function gatherQuota(loading: Loading): QuotaSettings | undefined {
  const quota = loading.setting("quota")?.value ?? {};
  loading.origins["quota"] ??= { kind: "default" };
  if (quota === "off") return undefined;
  return { onLimit: quota["on-limit"] ?? "failover", holdMs: quota.hold ?? HOLD_MS, mostMs: quota.most ?? MOST_MS };
}

/** The models of the file's `fallback`. */
export function gatherFallback(loading: Loading, providers: ReadonlyMap<string, ProviderSettings>): ModelName[] {
  const found = loading.setting("fallback");
  return found ? modelsIn(loading, found.file, ["fallback"], found.value, providers) : [];
}

/** An agent that no file names with the `fallback` of the settings. */
export function withFallback(agent: AgentSettings, { fallback, providers }: Pick<Config, "fallback" | "providers">): AgentSettings {
  if (!isMetered(agent) || fallback.length === 0) return agent;
  return { ...agent, chain: inOrder(agent, fallback, new Map(providers.map((p) => [p.id, p])), "own") };
}

/** Gives agents the models that are asked when their own fails: those they name, or else those of the file. */
export function withFallbacks(
  loading: Loading,
  agents: ReadonlyMap<string, AgentSettings>,
  providers: ReadonlyMap<string, ProviderSettings>,
  ofAll: readonly ModelName[],
): Map<string, AgentSettings> {
  const entries = loading.entries("agents");
  return new Map(
    [...agents].map(([id, agent]): [string, AgentSettings] => {
      const entry = entries.get(id);
      const own = entry && "fallback" in entry.value ? entry.value : undefined;
      // Whoever names a model by a flag means that one.
      const isAsked = loading.origins[`agents.${id}`]?.kind === "flag";
      if (!isMetered(agent)) {
        if (entry && own?.fallback !== undefined)
          loading.refuseIn(
            entry.file,
            "BAD_VALUE",
            ["agents", id, "fallback"],
            `${named(id)} brings its own login, which no other provider takes`,
            "Remove `fallback`, or use `credentials: metered`",
          );
        return [id, agent];
      }
      const given = entry && own?.fallback ? modelsIn(loading, entry.file, ["agents", id, "fallback"], own.fallback, providers) : ofAll;
      if (given.length === 0 || (isAsked && own?.fallback === undefined)) return [id, agent];
      return [id, { ...agent, chain: inOrder(agent, given, providers, own?.prefer ?? "own") }];
    }),
  );
}

type Metered = Extract<AgentSettings, { executor: "chat" | "acp" | "cli" }> & ModelName;

const isMetered = (agent: AgentSettings): agent is Metered =>
  (agent.executor === "chat" || ((agent.executor === "acp" || agent.executor === "cli") && agent.credentials === "metered")) &&
  agent.provider !== undefined &&
  agent.model !== undefined;

function inOrder(
  { provider, model }: ModelName,
  fallback: readonly ModelName[],
  providers: ReadonlyMap<string, ProviderSettings>,
  prefer: "own" | "local" | "given",
): [ModelName, ...ModelName[]] {
  const own = { provider, model };
  const others = fallback.filter((other) => other.provider !== provider || other.model !== model);
  const localFirst = (models: readonly ModelName[]): ModelName[] => {
    const isLocal = (of: ModelName): boolean => providers.get(of.provider)?.isLocal === true;
    return [...models.filter(isLocal), ...models.filter((of) => !isLocal(of))];
  };
  switch (prefer) {
    case "own":
      return [own, ...localFirst(others)];
    case "given":
      return [own, ...others];
    case "local": {
      const [first = own, ...rest] = localFirst([own, ...others]);
      return [first, ...rest];
    }
    default:
      return prefer satisfies never;
  }
}

function modelsIn(
  loading: Loading,
  file: SettingsFile,
  path: readonly string[],
  texts: readonly string[],
  providers: ReadonlyMap<string, ProviderSettings>,
): ModelName[] {
  return texts.flatMap((text, i) => {
    const chosen = modelAt(text, providers);
    if (chosen.ok) return [{ provider: chosen.provider.id, model: chosen.model }];
    const { code, message, hint } = chosen.fault;
    loading.refuseIn(file, code, [...path, String(i)], message, hint);
    return [];
  });
}
