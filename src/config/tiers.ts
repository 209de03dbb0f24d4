import { nearest } from "./yaml/nearest.ts";
import { named } from "./yaml/shown.ts";

/** From the cheapest up, where a project names no others. */
export const DEFAULT_TIERS: readonly string[] = ["free", "mid", "premium"];

/** What means a place in the order, whatever a project calls its tiers. */
export type TierAlias = "weak" | "base" | "strong";

/** `weak`: the first; `base`: the one in the middle, the cheaper of two; `strong`: the last. */
export function tierAt(alias: TierAlias, tiers: readonly string[]): string {
  const at: Record<TierAlias, number> = { weak: 0, base: Math.floor((tiers.length - 1) / 2), strong: tiers.length - 1 };
  const tier = tiers[at[alias]];
  if (tier === undefined) throw new TypeError("a project has at least one tier");
  return tier;
}

/** The tier of that name, else the one at that place; `undefined`: the project has none. A tier that is called `weak` is that one. */
export function resolveTier(name: string, tiers: readonly string[]): string | undefined {
  if (tiers.includes(name)) return name;
  return name === "weak" || name === "base" || name === "strong" ? tierAt(name, tiers) : undefined;
}

/** One of the default three in a project that may have others: the same name, else the same place. */
export function defaultTierIn(name: "free" | "mid" | "premium", tiers: readonly string[]): string {
  const alias = { free: "weak", mid: "base", premium: "strong" } as const;
  return tiers.includes(name) ? name : tierAt(alias[name], tiers);
}

/** How a tier that a project does not have is refused, wherever it is named. */
export function unknownTier(name: string, tiers: readonly string[]): { message: string; hint: string } {
  const near = nearest(name, tiers);
  const hint = `${near ? `Did you mean ${named(near)}? ` : ""}Tiers: ${tiers.join(", ")}; or weak, base, strong`;
  return { message: `There is no tier ${named(name)}`, hint };
}
