import { expect, test } from "vitest";
import type { Bill } from "../../models/index.ts";
import { billText } from "./bill-text.ts";

const billed = (microUsd: number): Bill => {
  const figures = {
    credentials: "metered" as const,
    calls: 1,
    refused: 0,
    inputTokens: 10,
    cachedInputTokens: 0,
    outputTokens: 2,
    microUsd,
    provenance: "reported" as const,
  };
  return {
    runId: "r",
    rows: [{ ...figures, attempt: "r/a#1", agent: "coder", tier: "free", provider: "made-up", model: "m" }],
    total: figures,
  };
};

test("a scripted model's bill speaks of prices only where there are some", () => {
  expect(billText(billed(5), ["made-up"])).toMatch(/no money was spent; the prices are those of the settings\.$/);
  expect(billText(billed(0), ["made-up"])).toMatch(/no money was spent\.$/);
  expect(billText(billed(5), [])).not.toMatch(/money/);
});
