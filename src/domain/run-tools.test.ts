import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { expect, test } from "vitest";
import { runTools, runToolSchema, type RunTool } from "./run-tools.ts";

test("what a model reads of the tools of its run, with every call, is few tokens", () => {
  const told = (Object.keys(runTools) as RunTool[]).map((name) => ({
    type: "function",
    function: { name, description: runTools[name].description, parameters: runToolSchema(name) },
  }));
  // docs/mcp.md says the figure.
  expect(encode(JSON.stringify(told)).length).toBe(313);
});

test("a value may lie as deep as people write, and no deeper than programs can read back", () => {
  const put = (value: unknown) => runTools.blackboard_put.input.safeParse({ key: "k", value }).success;
  const deep = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
  expect(put(deep(32))).toBe(true);
  expect(put(deep(33))).toBe(false);
  expect(put(deep(100_000))).toBe(false);
  expect(put({ a: [{ b: null }], c: "text" })).toBe(true);
});
