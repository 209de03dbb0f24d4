import { expect, test } from "vitest";
import { criticalPathLengths } from "./graph.ts";
import { parsePipeline } from "./parse.ts";

test("the length of a step's chain is the longest of those that wait for it", () => {
  const text = "a: {}, b: {needs: a}, c: {needs: b}, d: {needs: [a, c]}, e: {}"
    .replaceAll("{", "{command: x, readonly: true, ")
    .replaceAll(", }", "}");
  const parsed = parsePipeline(`steps: {${text}}`, "f");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  expect(Object.fromEntries(criticalPathLengths(parsed.pipeline))).toEqual({ a: 3, b: 2, c: 1, d: 0, e: 0 });
});
