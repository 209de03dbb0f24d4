import { expect, test } from "vitest";
import { compileJsonSchema } from "./json-schema.ts";

const judge = (schema: Record<string, unknown>, value: unknown): string[] => {
  const compiled = compileJsonSchema(schema);
  return compiled.ok ? compiled.validate(value) : [`invalid: ${compiled.message}`];
};

test("a value that does not fit is told why, a sentence for each fault", () => {
  const schema = { type: "object", required: ["a"], properties: { b: { type: "number" } } };
  expect(judge(schema, { a: 1, b: 2 })).toEqual([]);
  expect(judge(schema, { b: "x" })).toEqual(["the value must have required property 'a'", "/b must be number"]);
});

test("one schema leaves nothing behind for the next", () => {
  const named = { $id: "http://x/one", type: "object", properties: { a: { $id: "http://x/inner", type: "string" } } };
  for (let i = 0; i < 3; i++) {
    expect(judge({ ...named }, { a: "x" })).toEqual([]);
    expect(judge({ definitions: { p: { type: i === 1 ? "string" : "number" } }, $ref: "#/definitions/p" }, 1)).toEqual(
      i === 1 ? ["the value must be string"] : [],
    );
  }
  expect(judge({ $ref: "http://x/inner" }, 1)).toEqual([expect.stringMatching(/^invalid: can't resolve reference/)]);
});

test("the newer dialects are understood where `$schema` names them", () => {
  const tuple = { type: "array", prefixItems: [{ type: "string" }] };
  expect(judge({ $schema: "https://json-schema.org/draft/2020-12/schema", ...tuple }, [1])).toEqual(["/0 must be string"]);
  expect(judge({ $schema: "http://json-schema.org/draft-07/schema#", ...tuple }, [1])).toEqual([]);
  expect(judge({ $schema: "http://nowhere/", type: "object" }, {})).toEqual([expect.stringMatching(/^invalid: no schema with key or ref/)]);
});

test("unknown keywords and formats are remarks; wrong ones are faults", () => {
  expect(judge({ type: "string", format: "made-up", "x-note": 1 }, "x")).toEqual([]);
  expect(judge({ type: "objekt" }, {})).toEqual([expect.stringMatching(/^invalid: schema is invalid/)]);
  expect(judge({ pattern: "(" }, "x")).toEqual([expect.stringMatching(/^invalid: /)]);
  expect(judge({ $async: true, type: "string" }, 1)).toEqual(["the value must be string"]);
});
