import { Glob, shown } from "../config/index.ts";
import { evaluate, unbound, type Lookup } from "./expression/cel.ts";
import { envTemplate, type EnvPiece } from "./expression/secrets.ts";
import { shellPlaces, shellWord } from "./expression/shell.ts";
import { parseTemplate, soleExpression, type Part } from "./expression/template.ts";
import type { EvaluationCode, EvaluationProblem, Scope } from "./evaluate.ts";
import type { TextPlace } from "./step-texts.ts";

/** Thrown inside the room; `evaluated` turns it into an answer. */
export class Unfilled extends Error {
  readonly problem: EvaluationProblem;
  constructor(code: EvaluationCode, message: string, hint: string) {
    super(message);
    this.problem = { code, message, hint };
  }
}

export function evaluated<T extends object>(work: () => T): ({ ok: true } & T) | { ok: false; problem: EvaluationProblem } {
  try {
    return { ok: true, ...work() };
  } catch (error) {
    if (error instanceof Unfilled) return { ok: false, problem: error.problem };
    throw error;
  }
}

/** Values of one child: `matrix`, `item`, `index`, `round`. */
export type Locals = Readonly<Record<string, unknown>>;

/** What expressions see, from a scope and the child they stand in. */
export function lookupIn(scope: Scope, locals: Locals = {}): Lookup {
  return (root, keys) => {
    if (Object.hasOwn(locals, root)) return locals[root];
    switch (root) {
      case "inputs":
        return scope.inputs;
      case "run":
        return scope.run;
      case "round":
        return scope.round;
      case "steps": {
        const ids = keys?.filter((id) => Object.hasOwn(scope.steps, id)) ?? Object.keys(scope.steps);
        return Object.fromEntries(
          ids.map((id) => [
            id,
            { outcome: scope.steps[id]?.outcome, output: scope.steps[id]?.output ?? null, summary: scope.steps[id]?.summary ?? "" },
          ]),
        );
      }
      default:
        return undefined;
    }
  };
}

/** Linux takes no longer single argument than 128 KiB, and a command is one. */
const LONGEST = { command: 100_000, env: 100_000, text: 1_000_000, glob: 1024 };

/** The value of an expression. `where`: what stands before the message. */
export function valueOf(expression: string, lookup: Lookup, where: string): unknown {
  const result = evaluate(expression, lookup);
  if (result.ok) return result.value;
  const said = result.message.charAt(0).toLowerCase() + result.message.slice(1);
  throw new Unfilled(
    result.code,
    `${where}: \`${shown(unbound(expression), 120)}\` has no value: ${shown(said)}`,
    "Change the expression, or what it reads",
  );
}

/** A text with its values. Those of `env` stay texts for `fillSecrets`. */
export function fillText(text: string, place: TextPlace, lookup: Lookup, where: string): string {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Unfilled("EXPRESSION_FAILED", `${where}: ${parsed.message}`, parsed.hint);
  const filled = fillParts(parsed.parts, place, lookup, where);
  if (Buffer.byteLength(filled) > LONGEST[place])
    throw new Unfilled(
      "UNSAFE_VALUE",
      `${where} is longer than ${LONGEST[place]} bytes with its values`,
      "Hand large values over in a file",
    );
  if (place === "glob") {
    const checked = Glob.safeParse(filled);
    if (!checked.success)
      throw new Unfilled(
        "UNSAFE_VALUE",
        `${where}: ${checked.error.issues[0]?.message ?? "no path"}`,
        "Let the value be a path inside the project",
      );
  }
  return filled;
}

function fillParts(parts: readonly Part[], place: TextPlace, lookup: Lookup, where: string): string {
  const text = (part: Part & { kind: "expression" }): string => textOf(valueOf(part.text, lookup, where), where);
  switch (place) {
    case "text":
      return parts.map((p) => (p.kind === "expression" ? text(p) : p.kind === "text" ? p.text : noSecret(where))).join("");
    case "glob":
      return parts.map((p) => (p.kind === "expression" ? pathPart(text(p), where) : p.kind === "text" ? p.text : noSecret(where))).join("");
    case "env":
      return envTemplate(parts.map((p): EnvPiece => (p.kind === "expression" ? { kind: "text", text: noNul(text(p), where) } : p)));
    case "command": {
      const places = shellPlaces(parts);
      if (!places.ok) throw new Unfilled("UNSAFE_VALUE", `${where}: ${places.message}`, places.hint);
      const quoting = places.quoting.values();
      return parts
        .map((p) => {
          if (p.kind === "text") return p.text;
          const next = quoting.next();
          return p.kind === "secret" || next.done ? noSecret(where) : shellWord(noNul(text(p), where), next.value);
        })
        .join("");
    }
    default:
      place satisfies never;
      return "";
  }
}

function noSecret(where: string): never {
  throw new Unfilled("UNSAFE_VALUE", `${where}: a secret may stand in \`env\` only`, "Give it a name in `env`");
}

function noNul(text: string, where: string): string {
  if (!text.includes("\0")) return text;
  throw new Unfilled("UNSAFE_VALUE", `${where}: a value holds a NUL character, which no process can be given`, "Take it out of the value");
}

/** A value names a file or folder; it cannot widen a glob. */
function pathPart(text: string, where: string): string {
  if (!/[*?[\]{}()!|\\\n\r\0]/.test(text)) return text;
  throw new Unfilled(
    "UNSAFE_VALUE",
    `${where}: the value "${shown(text, 60)}" is not a plain part of a path`,
    "Let the value be a name, and write wildcards around the expression",
  );
}

/** Text as it is, lists and maps as JSON, nothing for null. */
function textOf(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  const json = JSON.stringify(value);
  if (json.length > LONGEST.text) throw new Unfilled("UNSAFE_VALUE", `${where}: a value is too long`, "Hand large values over in a file");
  return json;
}

/** A text of `with`, a list or a matrix: alone, an expression keeps its type. */
export function fillTyped(text: string, lookup: Lookup, where: string): unknown {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Unfilled("EXPRESSION_FAILED", `${where}: ${parsed.message}`, parsed.hint);
  const sole = soleExpression(parsed.parts);
  return sole === undefined ? fillParts(parsed.parts, "text", lookup, where) : valueOf(sole, lookup, where);
}
