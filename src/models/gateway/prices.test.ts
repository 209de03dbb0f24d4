import fc from "fast-check";
import { expect, test } from "vitest";
import { ceilingOf, costOf, priceOf } from "./prices.ts";

test("bundled prices are known without a network, in micro-dollars per million tokens", () => {
  expect(priceOf("openai", "gpt-4o")).toEqual({ input: 2_500_000, cachedInput: 1_250_000, output: 10_000_000, source: "bundled" });
  expect(priceOf("openai", "no-such-model")).toBeUndefined();
  expect(priceOf("no-such-provider", "gpt-4o")).toBeUndefined();
});

test("long contexts have the price of their tier, for all their tokens", () => {
  const price = priceOf("google", "gemini-2.5-pro");
  expect(price).toMatchObject({ input: 1_250_000, tiers: [{ above: 200_000, input: 2_500_000, output: 15_000_000 }] });
  expect(costOf({ inputTokens: 200_000, cachedInputTokens: 0, outputTokens: 0 }, price)).toBe(250_000);
  expect(costOf({ inputTokens: 200_001, cachedInputTokens: 0, outputTokens: 0 }, price)).toBe(500_003);
});

test("configured prices win", () => {
  const own = { input: 1, cachedInput: 1, output: 1 };
  expect(priceOf("openai", "gpt-4o", { "openai/gpt-4o": own })).toEqual({ ...own, source: "configured" });
});

test("a call costs the exact sum, rounded half up once", () => {
  const rate = fc.integer({ min: 0, max: 200_000_000 });
  const tokens = fc.integer({ min: 0, max: 3_000_000 });
  fc.assert(
    fc.property(rate, rate, rate, tokens, tokens, tokens, (input, cachedInput, output, inputTokens, cachedInputTokens, outputTokens) => {
      const price = { input, cachedInput, output, source: "configured" as const };
      const cached = Math.min(inputTokens, cachedInputTokens);
      const exact =
        BigInt(inputTokens - cached) * BigInt(input) + BigInt(cached) * BigInt(cachedInput) + BigInt(outputTokens) * BigInt(output);
      const cost = costOf({ inputTokens, cachedInputTokens, outputTokens }, price);
      expect(BigInt(cost)).toBe((exact + 500_000n) / 1_000_000n);
      expect(cost).toBeLessThanOrEqual(ceilingOf(inputTokens, outputTokens, price));
    }),
  );
});

test("cache writes cost what the provider asks for them, five minutes and an hour apart", () => {
  const known = priceOf("anthropic", "claude-haiku-4-5");
  expect(known).toMatchObject({
    input: 1_000_000,
    cachedInput: 100_000,
    cacheWrite: 1_250_000,
    cacheWriteLong: 2_000_000,
    output: 5_000_000,
  });
  const tokens = { inputTokens: 100, cachedInputTokens: 10, cacheWriteTokens: 50, cacheWriteLongTokens: 20, outputTokens: 4 };
  // 40 plain, 10 at a tenth, 30 at 1.25, 20 at 2, and 4 at 5.
  expect(costOf(tokens, known)).toBe(139);
  expect(costOf(tokens, { input: 1_000_000, cachedInput: 1_000_000, output: 0, source: "configured" })).toBe(100);
});

test("no call whose cache writes were foreseen costs more than was reserved for it", () => {
  const rate = fc.integer({ min: 0, max: 20_000_000 });
  const price = fc.record(
    { input: rate, cachedInput: rate, cacheWrite: rate, cacheWriteLong: rate, output: rate, source: fc.constant("configured" as const) },
    { requiredKeys: ["input", "cachedInput", "output", "source"] },
  );
  const count = fc.integer({ min: 0, max: 300_000 });
  fc.assert(
    fc.property(price, count, count, count, count, count, (of, plain, cached, short, long, out) => {
      const inputTokens = plain + cached + short + long;
      const tokens = {
        inputTokens,
        cachedInputTokens: cached,
        cacheWriteTokens: short + long,
        cacheWriteLongTokens: long,
        outputTokens: out,
      };
      expect(costOf(tokens, of)).toBeLessThanOrEqual(ceilingOf(inputTokens, out, of, "long"));
      const brief = { ...tokens, cacheWriteLongTokens: 0 };
      expect(costOf(brief, of)).toBeLessThanOrEqual(ceilingOf(inputTokens, out, of, "short"));
    }),
  );
});
