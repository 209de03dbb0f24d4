import { mkdirSync, writeFileSync } from "node:fs";
import { configJsonSchema } from "../src/config/index.ts";
import { pipelineJsonSchema } from "../src/pipeline/index.ts";

/** Writes the published JSON Schemas, for editors: `schema/pipeline.schema.json` and `schema/stepfall.schema.json`. */
const folder = new URL("../schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries({ pipeline: pipelineJsonSchema(), stepfall: configJsonSchema() })) {
  writeFileSync(new URL(`${name}.schema.json`, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
