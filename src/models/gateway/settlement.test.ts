import { expect, test } from "vitest";
import { settle } from "./settlement.ts";

const tokens = { inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0 };
const reserved = { inputTokens: 10, maxOutputTokens: 5, microUsd: 77 };
const price = { input: 3_000_000, cachedInput: 300_000, output: 9_000_000, source: "configured" } as const;

test("a call without a known price claims no price: its money is unknown, its tokens are kept", () => {
  expect(settle({ kind: "reported", tokens, outcome: "ok" }, reserved, undefined)).toMatchObject({
    ...tokens,
    microUsd: 0,
    provenance: "unknown",
  });
  expect(settle({ kind: "passed", outputTokens: 3, outcome: "cancelled" }, reserved, undefined)).toMatchObject({
    outputTokens: 3,
    provenance: "unknown",
  });
});

test("with a price, figures say where they come from", () => {
  expect(settle({ kind: "reported", tokens, outcome: "ok" }, reserved, price)).toMatchObject({
    microUsd: 3_000_000,
    provenance: "reported",
  });
  expect(settle({ kind: "passed", outputTokens: 0, outcome: "cancelled" }, reserved, price)).toMatchObject({
    microUsd: 30,
    provenance: "estimated",
  });
  expect(settle({ kind: "no-answer", outcome: "failed" }, reserved, price)).toMatchObject({ microUsd: 77, provenance: "unknown" });
});
