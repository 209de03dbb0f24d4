import { expect, test } from "vitest";
import { parsePipeline } from "./parse.ts";

const placesOf = (text: string, tiers?: readonly string[]): string[] => {
  const parsed = parsePipeline(text, "p.yaml", tiers ? { tiers } : {});
  return parsed.ok ? [] : parsed.problems.map((p) => `${p.line}:${p.col} ${p.code}`);
};
const TEXT = `defaults: { agent: { tier: midd } }
steps:
  a: { prompt: x, readonly: true, agent: { tier: weak } }
  b: { prompt: x, readonly: true, agent: { tier: large } }
  c:
    steps:
      d: { prompt: x, readonly: true, escalate: { entry: low, ceiling: strong, attempts: { free: 1, top: 2 } } }
  e: { prompt: x, readonly: true, agent: large }
`;

test("a tier that the project does not have is refused where it stands, in defaults and nested steps too", () => {
  expect(placesOf(TEXT, ["free", "mid", "premium"])).toEqual([
    "1:28 UNKNOWN_TIER",
    "4:50 UNKNOWN_TIER",
    "7:58 UNKNOWN_TIER",
    "7:106 UNKNOWN_TIER",
  ]);
  expect(placesOf(TEXT, ["free", "low", "midd", "large", "top"])).toEqual([]);
});

test("which tiers there are is the project's matter: without one any name will do, and no sentence", () => {
  expect(placesOf(TEXT)).toEqual([]);
  expect(placesOf("steps: { a: { prompt: x, readonly: true, agent: { tier: the best } } }")).toEqual(["1:57 BAD_VALUE"]);
});
