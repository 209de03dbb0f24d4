import { parseAllDocuments } from "yaml";
import type { GateOf } from "../../domain/index.ts";
import { compileJsonSchema } from "../../pipeline/index.ts";
import type { GateRun, JudgedFile, Ruling } from "./contract.ts";
import { counted } from "./globs.ts";

const MOST_FAULTS = 40;

/** JSON and YAML files that satisfy a JSON Schema. A schema in a file is read where the attempt started, so that no attempt mends its own. */
export async function schemaGate(gate: GateOf<"schema">, run: Pick<GateRun, "list" | "file" | "tree" | "from">): Promise<Ruling> {
  const schema = await schemaOf(gate, run);
  if ("problem" in schema) return { verdict: "errored", message: schema.problem };
  const compiled = compileJsonSchema(schema.value);
  if (!compiled.ok) return { verdict: "errored", message: `${schema.name} is not a valid JSON Schema: ${compiled.message.slice(0, 300)}` };
  const paths = await run.list(gate.files);
  // A gate that looked at nothing has accepted nothing.
  if (paths.length === 0) return { verdict: "refused", message: `no file matches ${gate.files.join(", ")}` };
  const faults: string[] = [];
  const faulty = new Set<string>();
  for (const path of paths) {
    const file = await run.file(run.tree, path);
    const found = file ? faultsOf(path, file, compiled.validate) : [];
    if (found.length > 0) faulty.add(path);
    faults.push(...found.map((fault) => `${path}: ${fault}`));
  }
  if (faults.length === 0) return { verdict: "passed", evidence: `${counted(paths.length, "file")} checked` };
  return {
    verdict: "refused",
    message: `${[...faulty].slice(0, 5).join(", ")}${faulty.size > 5 ? ` and ${faulty.size - 5} more` : ""} ${faulty.size === 1 ? "does" : "do"} not satisfy ${schema.name}`,
    evidence: [...faults.slice(0, MOST_FAULTS), ...(faults.length > MOST_FAULTS ? [`and ${faults.length - MOST_FAULTS} more`] : [])].join(
      "\n",
    ),
  };
}

async function schemaOf(
  { schema }: GateOf<"schema">,
  run: Pick<GateRun, "file" | "from">,
): Promise<{ name: string; value: Record<string, unknown> } | { problem: string }> {
  if ("inline" in schema) return { name: "the schema of the gate", value: schema.inline };
  const file = await run.file(run.from, schema.file);
  if (!file) return { problem: `the schema ${schema.file} does not exist where the attempt started` };
  const documents = valuesOf(schema.file, file);
  if ("problem" in documents) return { problem: `the schema ${schema.file} cannot be read: ${documents.problem}` };
  const [value] = documents.values;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: `the schema ${schema.file} holds no map` };
  return { name: schema.file, value: value as Record<string, unknown> };
}

function faultsOf(path: string, file: JudgedFile, validate: (value: unknown) => string[]): string[] {
  try {
    const documents = valuesOf(path, file);
    if ("problem" in documents) return [documents.problem];
    const several = documents.values.length > 1;
    return documents.values.flatMap((value, i) => validate(value).map((fault) => (several ? `document ${i + 1}: ${fault}` : fault)));
  } catch (error) {
    if (error instanceof RangeError) return ["it is nested too deep"];
    throw error;
  }
}

/** JSON is one document; YAML may be several. */
function valuesOf(path: string, file: JudgedFile): { values: unknown[] } | { problem: string } {
  if (file.kind !== "file") return { problem: file.kind === "link" ? "it is a link" : "it is too large to be looked into" };
  const text = new TextDecoder().decode(file.bytes);
  if (!/\.ya?ml$/i.test(path)) {
    try {
      return { values: [JSON.parse(text)] };
    } catch (error) {
      return { problem: `it is not JSON: ${(error as Error).message}` };
    }
  }
  const documents = [...parseAllDocuments(text, { logLevel: "silent" })];
  const error = documents.flatMap((document) => document.errors)[0];
  if (error) return { problem: `it is not YAML: ${error.message.split("\n", 1)[0]}` };
  try {
    // Aliases of aliases can grow without bound; the library's own limit stops them.
    return { values: documents.length === 0 ? [null] : documents.map((document) => document.toJS({ maxAliasCount: 100 })) };
  } catch (cause) {
    return { problem: `it cannot be read: ${(cause as Error).message}` };
  }
}
