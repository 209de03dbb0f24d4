import { Ajv, type Options, type ValidateFunction } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";

/** A JSON Schema made ready. `validate` answers what is wrong with a value, a sentence each; empty when it fits. */
export type CompiledJsonSchema = { ok: true; validate: (value: unknown) => string[] } | { ok: false; message: string };

/** Larger ones take seconds to compile. */
const MOST_SCHEMA_CHARS = 100_000;
const MOST_FAULTS = 20;

// Unknown keywords and formats are remarks to people, as in most schemas found in the wild.
const options: Options = { strict: false, logger: false, allErrors: true, validateFormats: false };

type Dialect = "draft7" | "2019-09" | "2020-12";
const make = (dialect: Dialect): Ajv =>
  dialect === "draft7" ? new Ajv(options) : dialect === "2019-09" ? new Ajv2019(options) : new Ajv2020(options);
// Making one takes 8 ms; a pipeline may hold thousands of schemas.
const shared = new Map<Dialect, Ajv>();

/** Compiles a JSON Schema: draft 7, or 2019-09 and 2020-12 where `$schema` says so. Never throws. */
export function compileJsonSchema(schema: Readonly<Record<string, unknown>>): CompiledJsonSchema {
  const name = typeof schema["$schema"] === "string" ? schema["$schema"] : "";
  const dialect = name.includes("2020-12") ? "2020-12" : name.includes("2019-09") ? "2019-09" : "draft7";
  try {
    const text = JSON.stringify(schema);
    if (text.length > MOST_SCHEMA_CHARS) return { ok: false, message: `it is longer than ${MOST_SCHEMA_CHARS} characters` };
    // ajv remembers names given inside a schema for ever: such a one gets an instance of its own.
    const isNaming = /"\$(?:id|anchor|dynamicAnchor|recursiveAnchor)"/.test(text);
    let ajv = isNaming ? undefined : shared.get(dialect);
    if (!ajv) ajv = make(dialect);
    if (!isNaming) shared.set(dialect, ajv);
    // A copy without `$async`, which would make validation answer promises.
    const copy = { ...schema, $async: false };
    try {
      return { ok: true, validate: faultsBy(ajv.compile(copy)) };
    } finally {
      if (!isNaming) ajv.removeSchema(copy);
    }
  } catch (cause) {
    return { ok: false, message: cause instanceof Error ? cause.message : String(cause) };
  }
}

const faultsBy =
  (validate: ValidateFunction) =>
  (value: unknown): string[] => {
    if (validate(value)) return [];
    return (validate.errors ?? [])
      .slice(0, MOST_FAULTS)
      .map((e) => `${e.instancePath === "" ? "the value" : e.instancePath} ${e.message ?? "does not fit"}`);
  };
