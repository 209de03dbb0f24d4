import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { pipelineJsonSchema } from "./index.ts";
import { WHOLE } from "./whole.testdata.ts";
import { readYaml } from "../config/index.ts";

test("the published schema of pipelines is up to date (node scripts/write-schemas.ts)", () => {
  const published: unknown = JSON.parse(readFileSync(new URL("../../schema/pipeline.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(JSON.parse(JSON.stringify(pipelineJsonSchema())));
});

test("an editor with the schema accepts what the parser accepts, and marks what is unknown", () => {
  const validate = new Ajv({ strict: false }).compile(pipelineJsonSchema());
  const judge = (text: string): boolean => {
    const reading = readYaml(text, "f");
    return reading.ok && validate(reading.source.value);
  };
  expect(judge(WHOLE)).toBe(true);
  expect(judge("steps: { a: { command: x, readonly: true } }")).toBe(true);
  expect(judge("steps: { a: { run: x, readonly: true } }")).toBe(false);
  expect(judge("steps: { a: { command: x, loop: {} } }")).toBe(false);
  expect(judge("steps: { A b: { command: x } }")).toBe(false);
  expect(judge("stepz: {}")).toBe(false);
});
