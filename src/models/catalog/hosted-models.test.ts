import { anthropicModelCatalog } from "@ai-sdk/anthropic/internal";
import { getGoogleLanguageModelEntry } from "@ai-sdk/google/internal";
import { openaiModelCatalog } from "@ai-sdk/openai/internal";
import { calcPrice } from "@pydantic/genai-prices";
import { describe, expect, test } from "vitest";
import { ID_PATTERN } from "../../config/index.ts";
import { priceOf } from "../gateway/index.ts";
import { hostedAgentId } from "./agent-id.ts";
import { HOSTED_MODELS } from "./hosted-models.ts";
import { blended, tierOfPrice } from "./tier-of-price.ts";

/** What the vendor's package of the AI SDK says of a model; nothing, or `unknown`, of one that it does not list. */
const listed = {
  anthropic: (model: string) => anthropicModelCatalog[model]?.capabilities.language,
  openai: (model: string) => (openaiModelCatalog[model] as { capabilities?: { language?: Listed } } | undefined)?.capabilities?.language,
  gemini: (model: string) => getGoogleLanguageModelEntry(model).capabilities.language,
} satisfies Record<string, (model: string) => Listed | undefined>;
interface Listed {
  tools?: { usage?: unknown; googleSearch?: unknown };
  inputs?: { image?: unknown };
}

describe("the catalog of hosted models", () => {
  test("has at least eleven, of three vendors, each once, with an id of its own", () => {
    expect(HOSTED_MODELS.length).toBeGreaterThanOrEqual(11);
    expect(new Set(HOSTED_MODELS.map((m) => m.provider)).size).toBe(3);
    const ids = HOSTED_MODELS.map((m) => hostedAgentId(m.model));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(ID_PATTERN);
  });

  test.each(HOSTED_MODELS)("$provider/$model has a bundled price, and the tier that follows from it", ({ provider, model, tier }) => {
    const price = priceOf(provider, model);
    expect(price).toMatchObject({ source: "bundled" });
    // The same model, not one that its name begins with.
    expect(calcPrice({ input_tokens: 1 }, model, { providerId: provider })?.model.id).toBe(model);
    expect(price && tierOfPrice(price)).toBe(tier);
  });

  test.each(HOSTED_MODELS)(
    "$provider/$model has the context that the bundled data say, where they do",
    ({ provider, model, context, can }) => {
      const known = calcPrice({ input_tokens: 1 }, model, { providerId: provider })?.model.context_window;
      expect(context).toBe(known ?? context);
      expect(can.includes("long_context")).toBe(context >= 1_000_000);
    },
  );

  test.each(HOSTED_MODELS)(
    "$provider/$model is on its vendor's list, calls tools and sees what it is said to see",
    ({ provider, model, can }) => {
      const said: Listed | undefined = listed[provider](model);
      expect(said?.tools?.usage).toBe(true);
      expect(said?.inputs?.image).toBe(can.includes("vision"));
      if (can.includes("web_search")) expect(said?.tools?.googleSearch).toBe(true);
    },
  );
});

test("a price makes a tier: nothing is free, to five dollars mid, above premium", () => {
  const of = (input: number, output: number) => tierOfPrice({ input: input * 1e6, output: output * 1e6 });
  expect(of(0, 0)).toBe("free");
  expect(of(0.05, 0.4)).toBe("mid");
  expect(of(2.5, 12.5)).toBe("mid");
  expect(of(2.5, 12.6)).toBe("premium");
  expect(blended({ input: 1_000_000, output: 5_000_000 })).toBe(2_000_000);
});
