import { calcPrice } from "@pydantic/genai-prices";
import { usd } from "../../domain/index.ts";
import type { ModelPrice, PriceTier } from "./contract.ts";

/** Prices from the settings, by `provider/model`. They win over the bundled ones. */
export type ConfiguredPrices = Readonly<Record<string, Omit<ModelPrice, "source">>>;

const perMillion = 1_000_000;

/**
 * What a model costs: configured, else from the data bundled with `@pydantic/genai-prices` (no network), else `undefined`. The bundled data
 * ages with the release; cache writes, which OpenAI's wire format does not report, are not in it.
 */
export function priceOf(provider: string, model: string, configured: ConfiguredPrices = {}): ModelPrice | undefined {
  const own = configured[`${provider}/${model}`];
  if (own) return { ...own, source: "configured" };
  // One token, so that the base of a tiered price applies and `model_price` is the one in force today.
  const known = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: provider });
  if (!known) return undefined;
  const at = (unit: "input_mtok" | "cache_read_mtok" | "output_mtok", tokens: number): number | undefined => {
    const price = known.model_price[unit];
    if (price === undefined || typeof price === "number") return price;
    return price.tiers.filter((t) => tokens > t.start).sort((a, b) => b.start - a.start)[0]?.price ?? price.base;
  };
  const figures = (tokens: number): Pick<ModelPrice, "input" | "cachedInput" | "output"> | undefined => {
    const input = at("input_mtok", tokens);
    const output = at("output_mtok", tokens);
    if (input === undefined || output === undefined) return undefined;
    return { input: usd(input), cachedInput: usd(at("cache_read_mtok", tokens) ?? input), output: usd(output) };
  };
  const base = figures(1);
  if (!base) return undefined;
  const starts = new Set<number>();
  for (const unit of ["input_mtok", "cache_read_mtok", "output_mtok"] as const) {
    const price = known.model_price[unit];
    if (price !== undefined && typeof price !== "number") for (const tier of price.tiers) starts.add(tier.start);
  }
  const tiers: PriceTier[] = [];
  for (const above of [...starts].sort((a, b) => a - b)) {
    const tier = figures(above + 1);
    if (tier) tiers.push({ above, ...tier });
  }
  return { ...base, ...(tiers.length > 0 && { tiers }), source: "bundled" };
}

export interface Tokens {
  /** Includes cached ones. */
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
}

/** What tokens cost, micro-dollars, rounded half up once for the whole call. Without a price nothing is charged. */
export function costOf(tokens: Tokens, price: ModelPrice | undefined): number {
  if (!price) return 0;
  const rate = price.tiers?.findLast((tier) => tokens.inputTokens > tier.above) ?? price;
  const cached = Math.min(tokens.cachedInputTokens, tokens.inputTokens);
  const exact = (tokens.inputTokens - cached) * rate.input + cached * rate.cachedInput + tokens.outputTokens * rate.output;
  const rest = exact % perMillion;
  return (exact - rest) / perMillion + (rest * 2 >= perMillion ? 1 : 0);
}

/** The most a call can cost: every rate the price has, taken at its dearest (a cached rate may be above the plain one). */
export function ceilingOf(inputTokens: number, outputTokens: number, price: ModelPrice | undefined): number {
  return Math.max(
    costOf({ inputTokens, cachedInputTokens: 0, outputTokens }, price),
    costOf({ inputTokens, cachedInputTokens: inputTokens, outputTokens }, price),
  );
}
