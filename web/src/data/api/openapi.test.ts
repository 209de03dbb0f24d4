import { readFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

test("the client's types are those of the API that is served: `npm run schemas` writes both", async () => {
  const at = (path: string): URL => new URL(path, import.meta.url);
  const generated = astToString(await openapiTS(at("../../../../schema/openapi.json")));
  expect(await readFile(at("./openapi.d.ts"), "utf8")).toContain(generated);
});
