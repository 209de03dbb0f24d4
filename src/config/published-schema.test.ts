import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema } from "./index.ts";

test("the published schema of stepfall.yaml is up to date (node scripts/write-schemas.ts)", () => {
  const published: unknown = JSON.parse(readFileSync(new URL("../../schema/stepfall.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});
