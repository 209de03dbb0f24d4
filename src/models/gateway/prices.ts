import { calcPrice } from "@pydantic/genai-prices";
import { usd } from "../../domain/index.ts";
import type { ModelPrice, PriceTier } from "./contract.ts";

/** Prices from the settings, by `provider/model`. They win over the bundled ones. */
export type ConfiguredPrices = Readonly<Record<string, Omit<ModelPrice, "source">>>;

const perMillion = 1_000_000;

const units = ["input_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok", "output_mtok"] as const;

type Rates = Omit<PriceTier, "above">;

/**
 * What a model costs: configured, else from the data bundled with `@pydantic/genai-prices` (no network), else `undefined`. The bundled data
 * ages with the release.
 */
export function priceOf(provider: string, model: string, configured: ConfiguredPrices = {}): ModelPrice | undefined {
  const own = configured[`${provider}/${model}`];
  if (own) return { ...own, source: "configured" };
  // One token, so that the base of a tiered price applies and `model_price` is the one in force today.
  const known = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: provider });
  if (!known) return undefined;
  const at = (unit: (typeof units)[number], tokens: number): number | undefined => {
    const price = known.model_price[unit];
    if (price === undefined || typeof price === "number") return price;
    return price.tiers.filter((t) => tokens > t.start).sort((a, b) => b.start - a.start)[0]?.price ?? price.base;
  };
  const figures = (tokens: number): Rates | undefined => {
    const input = at("input_mtok", tokens);
    const output = at("output_mtok", tokens);
    if (input === undefined || output === undefined) return undefined;
    const [write, writeLong] = [at("cache_write_mtok", tokens), at("cache_write_1h_mtok", tokens)];
    return {
      input: usd(input),
      cachedInput: usd(at("cache_read_mtok", tokens) ?? input),
      ...(write !== undefined && { cacheWrite: usd(write) }),
      ...(writeLong !== undefined && { cacheWriteLong: usd(writeLong) }),
      output: usd(output),
    };
  };
  const base = figures(1);
  if (!base) return undefined;
  const starts = new Set<number>();
  for (const unit of units) {
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

/** `inputTokens` includes cached ones and those written into the provider's cache. */
export interface InputTokens {
  inputTokens: number;
  cachedInputTokens: number;
  /** Absent: none. */
  cacheWriteTokens?: number;
  /** Of these, written for an hour. */
  cacheWriteLongTokens?: number;
}

export interface Tokens extends InputTokens {
  outputTokens: number;
}

/** What tokens cost, micro-dollars, rounded half up once for the whole call. Without a price nothing is charged. */
export function costOf(tokens: Tokens, price: ModelPrice | undefined): number {
  if (!price) return 0;
  const rate: Rates = price.tiers?.findLast((tier) => tokens.inputTokens > tier.above) ?? price;
  const cached = Math.min(tokens.cachedInputTokens, tokens.inputTokens);
  const written = Math.min(tokens.cacheWriteTokens ?? 0, tokens.inputTokens - cached);
  const long = Math.min(tokens.cacheWriteLongTokens ?? 0, written);
  const write = rate.cacheWrite ?? rate.input;
  const exact =
    (tokens.inputTokens - cached - written) * rate.input +
    cached * rate.cachedInput +
    (written - long) * write +
    long * (rate.cacheWriteLong ?? write) +
    tokens.outputTokens * rate.output;
  const rest = exact % perMillion;
  return (exact - rest) / perMillion + (rest * 2 >= perMillion ? 1 : 0);
}

/**
 * The most a call can cost: every rate the price has, taken at its dearest (a cached rate may be above the plain one). `writes`: what the
 * call may write into the provider's cache.
 */
export function ceilingOf(
  inputTokens: number,
  outputTokens: number,
  price: ModelPrice | undefined,
  writes: "none" | "short" | "long" = "none",
): number {
  const plain = { inputTokens, cachedInputTokens: 0, outputTokens };
  const ways: Tokens[] = [plain, { ...plain, cachedInputTokens: inputTokens }];
  if (writes !== "none") ways.push({ ...plain, cacheWriteTokens: inputTokens });
  if (writes === "long") ways.push({ ...plain, cacheWriteTokens: inputTokens, cacheWriteLongTokens: inputTokens });
  return Math.max(...ways.map((tokens) => costOf(tokens, price)));
}
