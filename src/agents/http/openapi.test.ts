import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RemoteAnswer, RemoteRequest } from "./contract.ts";

const text = readFileSync(new URL("./openapi.json", import.meta.url), "utf8");
const document = JSON.parse(text);

function schema(name: string) {
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(document, "doc");
  return ajv.getSchema(`doc#/components/schemas/${name}`) ?? expect.unreachable(name);
}

test("the document is OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

const count = fc.nat(1000);
const usage = fc.record({ calls: count, inputTokens: count, cachedInputTokens: count, outputTokens: count });
const file = fc.oneof(
  fc.record({ path: fc.string(), content: fc.string(), encoding: fc.constantFrom("utf8", "base64", "latin1") }, { requiredKeys: ["path"] }),
  fc.record({ path: fc.string(), delete: fc.boolean() }),
);
const answer = fc.oneof(
  fc.record({ summary: fc.string(), files: fc.array(file), usage }, { requiredKeys: [] }),
  fc.record({ failed: fc.record({ message: fc.string(), because: fc.constantFrom("agent", "timeout", "x") }, { requiredKeys: [] }) }),
  fc.jsonValue(),
);

test("the document and the program take the same answers", () => {
  const documented = schema("Answer");
  fc.assert(
    fc.property(answer, (value) => {
      expect(documented(value), JSON.stringify(value)).toBe(RemoteAnswer.safeParse(value).success);
    }),
    { numRuns: 500 },
  );
});

test("what the program sends is what is documented", () => {
  const request: RemoteRequest = {
    version: 1,
    attempt: "r/s#1",
    step: "s",
    prompt: "p",
    feedback: [{ gate: "tests", message: "red" }],
    files: {
      list: ["a"],
      truncated: false,
      contents: [{ path: "a", content: "" }],
      omitted: [{ path: "b", because: "binary" }],
    },
    deadlineMs: 1000,
  };
  const documented = schema("Request");
  expect(documented(RemoteRequest.parse(request))).toBe(true);
  for (const missing of Object.keys(request)) {
    const rest = Object.fromEntries(Object.entries(request).filter(([key]) => key !== missing));
    expect(documented(rest), missing).toBe(false);
  }
});
