import { isObject, type Json } from "../../wire/wire.ts";

/** Gemini's older schemas have types in capitals, `nullable`, and numbers as texts. */
export function jsonSchemaOf(schema: Json): Json {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    switch (name) {
      case "type":
        made.type = typeof value === "string" ? value.toLowerCase() : value;
        break;
      case "nullable":
      case "propertyOrdering":
        break;
      case "properties":
        made.properties = isObject(value)
          ? Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, isObject(inner) ? jsonSchemaOf(inner) : inner]))
          : value;
        break;
      case "items":
        made.items = isObject(value) ? jsonSchemaOf(value) : value;
        break;
      case "anyOf":
        made.anyOf = Array.isArray(value) ? value.map((inner: unknown) => (isObject(inner) ? jsonSchemaOf(inner) : inner)) : value;
        break;
      default:
        made[name] = /^(?:min|max)(?:Items|Length|Properties)$/.test(name) && typeof value === "string" ? Number(value) : value;
    }
  }
  if (schema.nullable === true && typeof made.type === "string") made.type = [made.type, "null"];
  return made;
}
