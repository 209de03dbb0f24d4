import type { Json } from "./dialect.ts";
import type { ScriptedAnswer } from "./script.ts";

/** What an agent gets for a question on the side: `ok`, or the smallest JSON of the shape it asks for. */
export function aside(body: Json): ScriptedAnswer {
  const schema = schemaOf(body);
  return { text: schema ? JSON.stringify(smallest(schema)) : "ok" };
}

/** Where each wire format asks for JSON of a shape. */
function schemaOf(body: Json): Json | undefined {
  const at = (...path: string[]): unknown => path.reduce<unknown>((value, key) => (value as Json | null | undefined)?.[key], body);
  const found =
    at("response_format", "json_schema", "schema") ??
    at("text", "format", "schema") ??
    at("output_config", "format", "schema") ??
    at("output_format", "schema") ??
    at("generationConfig", "responseJsonSchema") ??
    at("generationConfig", "responseSchema");
  return typeof found === "object" && found !== null ? (found as Json) : undefined;
}

/** The first of an enumeration, empty texts and lists, zero, false. Gemini asks whether the user or the model speaks next, the user first. */
function smallest(schema: Json): unknown {
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  switch (String(schema.type).toLowerCase()) {
    case "object":
      return Object.fromEntries(Object.entries((schema.properties ?? {}) as Record<string, Json>).map(([k, v]) => [k, smallest(v)]));
    case "array":
      return [];
    case "string":
      return "";
    case "boolean":
      return false;
    default:
      return 0;
  }
}
