import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { fromCel, toCel, TooCostly, Meter } from "./values.ts";
import { doubleText, faultOf, metered } from "./measured.ts";
import { referencesOf, type Reference } from "./references.ts";

/**
 * The only file that knows the CEL library. Expressions have no clock, no randomness and no way out; what they may cost is bounded in
 * length, nesting and work (see measured.ts), so that a hostile value cannot keep the engine busy.
 */

const MOST_EXPRESSION_CHARS = 2000;
const MOST_NODES = 400;
const DEEPEST = 40;

/** Every name that any place of a pipeline may use. Which ones a certain place may use is checked beside this. */
export const VARIABLES = ["inputs", "steps", "run", "matrix", "item", "index", "round"] as const;

/** Names that filters of hooks may use, and nothing in a pipeline. */
export const HOOK_VARIABLES = ["event", "run", "step"] as const;

export type CelType = "bool" | "list" | "string" | "number" | "null" | "map" | "any";

export interface Expression {
  text: string;
  references: Reference[];
  /** What it answers, as far as that can be told before it is evaluated. */
  type: CelType;
}

export type ParsedExpression =
  | { ok: true; expression: Expression }
  /** `at`: offset in the text, UTF-16 units. */
  | { ok: false; message: string; hint: string; at: number };

export type Value = { ok: true; value: unknown } | { ok: false; code: "EXPRESSION_FAILED" | "EXPRESSION_TOO_COSTLY"; message: string };

let meter = new Meter();

const environment = (maxAstNodes: number, aggregate: number): Environment => {
  const env = new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes, maxDepth: DEEPEST * 2, maxListElements: aggregate, maxMapEntries: aggregate, maxCallArguments: 8 },
  });
  for (const name of new Set([...VARIABLES, ...HOOK_VARIABLES])) env.registerVariable(name, "dyn");
  return env.registerFunction("measured__(A): A", (value: unknown) => (meter.charge(value), value));
};
// What people write is small; what is evaluated may hold the values of a matrix beside it.
const written = environment(MOST_NODES, 200);
const evaluated = environment(200_000, 100_000);

/** Syntax, names of functions, and types as far as they are known. `secrets` is no variable here: see template.ts. */
export function parseExpression(text: string, names: readonly string[] = VARIABLES): ParsedExpression {
  const no = (message: string, hint: string, at = 0): ParsedExpression => ({ ok: false, message, hint, at });
  if (text.trim() === "") return no("The expression is empty", "Write a condition or a value, such as inputs.name");
  if (text.length > MOST_EXPRESSION_CHARS)
    return no(`The expression is longer than ${MOST_EXPRESSION_CHARS} characters`, "Let a command step compute it");
  const plain = plainKeys(text);
  try {
    const parsed = written.parse(plain.text);
    const fault = faultOf(parsed.ast, DEEPEST);
    if (fault) return no(fault.message, fault.hint, plain.back(fault.at));
    const references = referencesOf(parsed.ast).map((r) => ({ ...r, at: plain.back(r.at) }));
    const unknown = references.find((r) => !names.includes(r.root));
    // The library would call an unknown name an error of types; the caller knows better what was meant.
    if (unknown) return { ok: true, expression: { text, references, type: "any" } };
    const checked = parsed.check();
    if (!checked.valid) return no(...sentences(checked.error, text), plain.back(checked.error?.range?.start ?? 0));
    return { ok: true, expression: { text, references, type: typeWord(checked.type ?? "dyn") } };
  } catch (error) {
    return no(...sentences(error, text), plain.back(placeOf(error)));
  }
}

/** The value of a variable, JSON; with `keys`, only these of its entries are asked for. */
export type Lookup = (root: string, keys: readonly string[] | undefined) => unknown;

/** The value as JSON has it. Never throws. */
export function evaluate(text: string, lookup: Lookup): Value {
  try {
    meter = new Meter();
    const ast: ASTNode = evaluated.parse(plainKeys(text).text).ast;
    const context: Record<string, unknown> = {};
    for (const [root, references] of Map.groupBy(referencesOf(ast), (r) => r.root)) {
      const keys = references.map((r) => r.keys[0]);
      const value = lookup(root, keys.every((k) => k !== undefined) ? [...new Set(keys)] : undefined);
      if (value !== undefined) context[root] = toCel(value, meter);
    }
    return { ok: true, value: fromCel(evaluated.evaluate(metered(ast), context), meter) };
  } catch (error) {
    if (error instanceof TooCostly) return { ok: false, code: "EXPRESSION_TOO_COSTLY", message: error.message };
    return { ok: false, code: "EXPRESSION_FAILED", message: sentences(error, text)[0] };
  }
}

/** The expression with values for some of its variables, which hold inside it wherever it is evaluated. */
export function bind(text: string, values: Readonly<Record<string, unknown>>): string {
  const used = rootsOf(text);
  return Object.entries(values).reduce(
    (bound, [name, value]) => (used.has(name) ? `cel.bind(${name}, ${literal(value)}, ${bound})` : bound),
    text,
  );
}

/** An expression as somebody wrote it, without the values that `bind` put before it. */
export function unbound(text: string): string {
  try {
    let rest = text;
    for (;;) {
      const { ast } = evaluated.parse(plainKeys(rest).text);
      if (ast.op !== "rcall" || ast.args[0] !== "bind" || ast.args[1].op !== "id" || ast.args[1].args !== "cel") return rest;
      // What stands before the value holds no step, so its offsets are those of the text.
      rest = rest.slice((ast.args[2][1]?.end ?? 0) + 2, -1);
    }
  } catch {
    return text;
  }
}

/** Variables a text reads; none when it is no expression, which its evaluation will tell. */
function rootsOf(text: string): Set<string> {
  try {
    return new Set(referencesOf(evaluated.parse(plainKeys(text).text).ast).map((r) => r.root));
  } catch {
    return new Set();
  }
}

/** Keys that the library leaves out of every map, since they could reach an object's prototype. */
const NO_KEYS = new Set(["__proto__", "prototype", "constructor"]);

/** A JSON value in CEL, without keys of these names. */
export function literal(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : doubleText(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .filter(([key]) => !NO_KEYS.has(key))
      .map(([key, part]) => `${literal(key)}: ${literal(part)}`)
      .join(", ")}}`;
  return JSON.stringify(value) ?? "null";
}

/**
 * `steps.my-step.outcome` means the step `my-step`: a map less something would mean nothing. Steps called `in` or `2` are
 * reached in the same way. Answers the text as CEL has it, and where its offsets were before.
 */
function plainKeys(text: string): { text: string; back: (at: number) => number } {
  const moves: { from: number; by: number }[] = [];
  let by = 0;
  const out = text.replaceAll(
    /("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?<![\w.])(steps\s*)\.\s*([A-Za-z0-9_][\w-]*)(?=\s*[.[])/g,
    (whole: string, quoted: string | undefined, steps: string | undefined, id: string | undefined, offset: number) => {
      if (quoted !== undefined || steps === undefined || id === undefined) return whole;
      const now = `${steps}["${id}"]`;
      moves.push({ from: offset + by + now.length, by: now.length - whole.length });
      by += now.length - whole.length;
      return now;
    },
  );
  return {
    text: out,
    back: (at) => Math.max(0, Math.min(text.length, at - moves.filter((m) => m.from <= at).reduce((sum, m) => sum + m.by, 0))),
  };
}

function typeWord(type: string): CelType {
  if (type === "bool" || type === "string" || type === "null") return type;
  if (type === "int" || type === "double" || type === "uint") return "number";
  if (type.startsWith("list")) return "list";
  if (type.startsWith("map")) return "map";
  return "any";
}

interface LibraryError {
  code?: string;
  summary?: string;
  range?: { start: number; end: number };
}

const placeOf = (error: unknown): number => (error as LibraryError | undefined)?.range?.start ?? 0;

/** What the library says, in a sentence, and what to do. */
function sentences(error: unknown, text: string): [message: string, hint: string] {
  const { code, summary } = (error ?? {}) as LibraryError;
  const said = (summary ?? (error instanceof RangeError ? "its result is too long" : "it cannot be understood"))
    .replace("EOF", "the end")
    .replaceAll(/dyn<(\w+)>/g, "$1");
  if (code === "unexpected_character" || /[^=!<>]=[^=]/.test(text)) return [said, "Compare with `==`; join conditions with `&&` and `||`"];
  if (code === "no_such_key") return [said, "Ask first whether it is there: has(...)"];
  if (code?.startsWith("no_such_overload") || code?.startsWith("no_matching_overload"))
    return [said, "Convert one side: string(x), int(x), double(x)"];
  if (code === "incompatible_ternary_branches") return [said, "Let both sides be of one type, for example by string(x)"];
  return [said, "Write CEL, such as: steps.test.outcome == 'failed' && inputs.fix"];
}
