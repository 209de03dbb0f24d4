import { isDeepStrictEqual } from "node:util";
import type { Input, Pipeline } from "../domain/index.ts";
import { describeValue, named, nearest, shown } from "../config/index.ts";
import type { EvaluationProblem, ResolvedInputs } from "./evaluate.ts";

const TYPE_WORDS: Readonly<Record<Input["type"], string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  list: "a list, as JSON or with commas between the items",
  map: "a map, as JSON",
};

/**
 * Values for a pipeline's inputs, with its defaults. Texts are read as the input's type, as they come from a command line: `3`, `true`, `a,b`,
 * `["a"]`, `{"a": 1}`. Other values must be of the type already.
 */
export function resolveInputs(pipeline: Pick<Pipeline, "inputs">, given: Readonly<Record<string, unknown>>): ResolvedInputs {
  const declared = pipeline.inputs ?? {};
  const problems: EvaluationProblem[] = [];
  const inputs: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    const near = nearest(name, Object.keys(declared));
    const names = Object.keys(declared);
    const hint = near ? `Did you mean ${named(near)}?` : names.length > 0 ? `Its inputs are ${names.join(", ")}` : "It has no inputs";
    problems.push({ code: "INPUT_UNKNOWN", message: `The pipeline has no input ${named(name)}`, hint });
  }
  for (const [name, input] of Object.entries(declared)) {
    if (!Object.hasOwn(given, name) || given[name] === undefined) {
      if (input.default !== undefined) inputs[name] = input.default;
      else
        problems.push({
          code: "INPUT_MISSING",
          message: `The input ${named(name)} is not given${input.description ? `: ${shown(input.description, 120)}` : ""}`,
          hint: `Give it ${TYPE_WORDS[input.type]}`,
        });
      continue;
    }
    const read = readInput(input, given[name]);
    if (read.ok) inputs[name] = read.value;
    else problems.push({ code: "INPUT_INVALID", message: `The input ${named(name)} ${read.message}`, hint: read.hint });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, inputs };
}

export type ReadInput = { ok: true; value: unknown } | { ok: false; message: string; hint: string };

/** One value as an input takes it, or what is wrong with it. */
export function readInput(input: Input, given: unknown): ReadInput {
  const value = typeof given === "string" ? fromText(input.type, given) : given;
  if (value === undefined || !isOfType(input.type, value)) {
    return { ok: false, message: `must be ${TYPE_WORDS[input.type]}, not ${describeValue(given)}`, hint: `Give ${TYPE_WORDS[input.type]}` };
  }
  if (input.choices && !input.choices.some((choice) => isDeepStrictEqual(choice, value))) {
    const choices = input.choices.map((c) => (typeof c === "string" ? c : JSON.stringify(c))).join(", ");
    return { ok: false, message: `cannot be ${describeValue(value)}`, hint: `Choose one of ${shown(choices, 200)}` };
  }
  return { ok: true, value };
}

export function isOfType(kind: Input["type"], value: unknown): boolean {
  switch (kind) {
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "integer":
      return Number.isSafeInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "map":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      kind satisfies never;
      return false;
  }
}

/** `undefined` when the text is nothing of that type. */
function fromText(kind: Input["type"], text: string): unknown {
  const word = text.trim();
  switch (kind) {
    case "string":
      return text;
    case "number":
    case "integer":
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word) ? Number(word) : undefined;
    case "boolean":
      return word === "true" ? true : word === "false" ? false : undefined;
    case "list":
      if (word.startsWith("[")) return fromJson(word);
      return word === "" ? [] : word.split(",").map((part) => part.trim());
    case "map":
      return fromJson(word);
    default:
      kind satisfies never;
      return undefined;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
