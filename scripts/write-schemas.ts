import { mkdirSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { configJsonSchema } from "../src/config/index.ts";
import { pipelineJsonSchema } from "../src/pipeline/index.ts";
import { apiDocument } from "../src/server/index.ts";

/**
 * Writes the published JSON Schemas, for editors: `schema/pipeline.schema.json` and `schema/stepfall.schema.json`; and what the HTTP API is, for
 * programs: `schema/openapi.json`, with its types for the dashboard's client.
 */
const folder = new URL("../schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ pipeline: pipelineJsonSchema(), stepfall: configJsonSchema() })) {
  writeFileSync(new URL(`${name}.schema.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
writeFileSync(new URL("openapi.json", folder), `${JSON.stringify(apiDocument(), null, 2)}\n`);
const types = astToString(await openapiTS(new URL("openapi.json", folder)));
writeFileSync(new URL("../web/src/data/api/openapi.d.ts", import.meta.url), `// Written by \`npm run schemas\`.\n\n${types}`);
