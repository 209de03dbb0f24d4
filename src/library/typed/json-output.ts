import { z } from "zod";
import { LibraryError } from "../errors.ts";

declare const typeOfValue: unique symbol;

/** A JSON file that a step leaves, and what is in it. */
export interface JsonFile<T> {
  readonly file: string;
  /** JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly [typeOfValue]?: T;
}

/** What a JSON Schema written in place lets through, as far as a type can say it. */
export type FromJsonSchema<S> = S extends { const: infer C }
  ? C
  : S extends { enum: readonly (infer E)[] }
    ? E
    : S extends { anyOf: readonly (infer A)[] }
      ? FromJsonSchema<A>
      : S extends { oneOf: readonly (infer A)[] }
        ? FromJsonSchema<A>
        : S extends { type: infer K }
          ? OfType<K extends readonly (infer One)[] ? One : K, S>
          : unknown;

type OfType<K, S> = K extends "string"
  ? string
  : K extends "number" | "integer"
    ? number
    : K extends "boolean"
      ? boolean
      : K extends "null"
        ? null
        : K extends "array"
          ? (S extends { items: infer I } ? FromJsonSchema<I> : unknown)[]
          : K extends "object"
            ? OfObject<S>
            : unknown;

type OfObject<S> = S extends { properties: infer P }
  ? Flat<
      { [K in keyof P as K extends RequiredOf<S> ? K : never]: FromJsonSchema<P[K]> } & {
        [K in keyof P as K extends RequiredOf<S> ? never : K]?: FromJsonSchema<P[K]>;
      }
    >
  : Record<string, unknown>;
type Flat<T> = { -readonly [K in keyof T]: T[K] };
type RequiredOf<S> = S extends { required: readonly (infer R)[] } ? R : never;

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON file a step must leave, by a zod schema or a JSON Schema; `step.output` has its type. What the file holds is checked as it
 * is: defaults and transforms of a zod schema are not applied. Throws SCHEMA_INVALID for what JSON Schema cannot say.
 */
export function json<const S extends z.ZodType | JsonSchema>(
  file: string,
  schema: S,
): JsonFile<S extends z.ZodType ? z.input<S> : FromJsonSchema<S>> {
  return { file, schema: isZod(schema) ? fromZod(file, schema) : schema };
}

const isZod = (schema: z.ZodType | JsonSchema): schema is z.ZodType => "_zod" in schema;

function fromZod(file: string, schema: z.ZodType): JsonSchema {
  try {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
    return rest;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new LibraryError("SCHEMA_INVALID", `the schema of ${file} cannot be said in JSON Schema: ${said}`, "Use types that JSON has.", {
      cause,
    });
  }
}
