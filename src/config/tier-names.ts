import type { Loading } from "./loading.ts";
import type { SettingsFile } from "./settings-file.ts";
import type { Settings } from "./settings-schema.ts";
import { DEFAULT_TIERS, resolveTier, unknownTier } from "./tiers.ts";

/**
 * The project's tiers. In all files `weak`, `base` and `strong` become the tier at that place, before anything is made of them; a tier that
 * the project does not have is refused where it stands.
 */
export function gatherTiers(loading: Loading): readonly string[] {
  const tiers = loading.setting("tiers")?.value ?? DEFAULT_TIERS;
  for (const file of loading.files) file.settings = withTiers(file.settings, new Names(loading, file, tiers));
  return tiers;
}

type Path = readonly string[];

class Names {
  readonly #loading: Loading;
  readonly #file: SettingsFile;
  readonly #tiers: readonly string[];

  constructor(loading: Loading, file: SettingsFile, tiers: readonly string[]) {
    this.#loading = loading;
    this.#file = file;
    this.#tiers = tiers;
  }

  resolve(name: string, path: Path): string {
    const tier = resolveTier(name, this.#tiers);
    if (tier !== undefined) return tier;
    const { message, hint } = unknownTier(name, this.#tiers);
    this.#loading.refuseIn(this.#file, "UNKNOWN_TIER", path, message, hint);
    return name;
  }

  /** Those keys of a map that are there. */
  in<T extends object>(map: T, keys: readonly (keyof T & string)[], path: Path): T {
    const resolved = keys.flatMap((key): [string, string][] => {
      const name = map[key];
      return typeof name === "string" ? [[key, this.resolve(name, [...path, key])]] : [];
    });
    return { ...map, ...Object.fromEntries(resolved) };
  }
}

function withTiers(settings: Settings, names: Names): Settings {
  const { agents, rules, routing } = settings;
  return {
    ...settings,
    ...(agents && {
      agents: Object.fromEntries(Object.entries(agents).map(([id, agent]) => [id, names.in(agent, ["tier"], ["agents", id])])),
    }),
    ...(rules && { rules: rules.map((rule, i) => ({ ...rule, use: names.in(rule.use, ["tier"], ["rules", String(i), "use"]) })) }),
    ...(routing && {
      routing: {
        ...climbing(routing, names, ["routing"]),
        ...(routing.split && { split: climbing(routing.split, names, ["routing", "split"]) }),
      },
    }),
  };
}

interface Climbing {
  entry?: string | undefined;
  ceiling?: string | undefined;
  attempts?: number | Record<string, number> | undefined;
}

function climbing<T extends Climbing>(policy: T, names: Names, path: Path): T {
  const { attempts } = policy;
  const named = names.in(policy, ["entry", "ceiling"], path);
  if (typeof attempts !== "object") return named;
  const byTier = Object.entries(attempts).map(([tier, n]) => [names.resolve(tier, [...path, "attempts", tier]), n] as const);
  return { ...named, attempts: Object.fromEntries(byTier) };
}
