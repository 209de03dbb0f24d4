import type { Json } from "../../wire/wire.ts";

/** The API takes both spellings of a field. */
export function camel(of: Json): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(of))
    renamed[name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
  return renamed;
}
