import { shown } from "../config/index.ts";
import type { GroupBody, GroupStep, Step } from "../domain/index.ts";
import { literal, unbound } from "./expression/cel.ts";
import { celOf, unescapeTemplate } from "./expression/template.ts";
import type { Evaluated, Scope } from "./evaluate.ts";
import { evaluated, fillText, fillTyped, lookupIn, Unfilled, valueOf, type Locals } from "./fill.ts";
import type { Lookup } from "./expression/cel.ts";
import { mapTexts, mapValue } from "./step-texts.ts";

/**
 * A step whose needs are over: whether it runs, and the step with its texts filled in, without `if` and `dynamic`. Of a group only what
 * its own scope says is filled in: `env`, `with`, axes, the list; `expandGroup` does the rest. A `${{ }}` that a value brings with
 * it is text for ever. Values of `env` stay texts for `fillSecrets`.
 */
export function resolveStep(step: Step, scope: Scope): Evaluated<{ run: false; because: string } | { run: true; step: Step }> {
  return evaluated(() => {
    const where = `steps.${step.path}`;
    const lookup = lookupIn(scope);
    if (step.if !== undefined && !isTrue(step.if, lookup, `${where}.if`)) {
      return { run: false as const, because: `its condition does not hold: ${shown(unbound(step.if), 200)}` };
    }
    const { if: _if, ...rest } = step;
    return { run: true as const, step: step.dynamic ? fillStep(rest as Step, scope) : rest };
  });
}

/** A condition: CEL that must answer true or false. */
export function isTrue(text: string, lookup: Lookup, where: string): boolean {
  const cel = celOf(text);
  if (!cel.ok) throw new Unfilled("EXPRESSION_FAILED", `${where}: ${cel.message}`, cel.hint);
  const value = valueOf(cel.text, lookup, where);
  if (typeof value === "boolean") return value;
  throw new Unfilled(
    "WRONG_RESULT",
    `${where}: \`${shown(unbound(cel.text), 120)}\` is neither true nor false`,
    "Compare it with something: `== ...`",
  );
}

/** Every text of the step filled in, whatever `dynamic` says; the step is not dynamic any more. */
export function fillStep<S extends Step>(step: S, scope: Scope, locals: Locals = {}): S {
  const lookup = lookupIn(scope, locals);
  const { dynamic: _dynamic, ...rest } = step;
  const filled = mapTexts(rest as unknown as Step, (text, place, where) => fillText(text, place, lookup, `steps.${step.path}.${where}`));
  return (filled.kind === "group" ? { ...filled, body: fillBody(filled, lookup) } : filled) as S;
}

function fillBody(step: GroupStep, lookup: Lookup): GroupBody {
  const { body } = step;
  const where = `steps.${step.path}`;
  const typed = (value: unknown, field: string): unknown => mapValue(value, (text) => fillTyped(text, lookup, `${where}.${field}`));
  // Its candidates are filled in when they are made.
  if (body.kind === "best-of") return body;
  if (body.kind === "pipeline") return { ...body, with: typed(body.with, "with") as Record<string, unknown> };
  if (body.over.kind === "list") {
    const cel = celOf(body.over.items);
    if (!cel.ok) throw new Unfilled("EXPRESSION_FAILED", `${where}.foreach: ${cel.message}`, cel.hint);
    const items = valueOf(cel.text, lookup, `${where}.foreach`);
    if (!Array.isArray(items)) throw notList(`${where}.foreach`);
    if (items.length > body.most) throw tooMany(where, items.length, body.most);
    return { ...body, over: { kind: "list", items: literal(items) } };
  }
  const axes = Object.fromEntries(
    Object.entries(body.over.axes).map(([axis, values]) => {
      const list = typed(values, `matrix.${axis}`);
      if (!Array.isArray(list)) throw notList(`${where}.matrix.${axis}`);
      return [axis, list];
    }),
  );
  const maps = (list: readonly unknown[], field: string): Record<string, unknown>[] =>
    list.map((entry) => typed(entry, field) as Record<string, unknown>);
  return {
    ...body,
    over: { kind: "matrix", axes, include: maps(body.over.include, "matrix.include"), exclude: maps(body.over.exclude, "matrix.exclude") },
  };
}

const notList = (where: string): Unfilled => new Unfilled("WRONG_RESULT", `${where} is not a list`, "Let the expression answer a list");

export const tooMany = (where: string, found: number, most: number): Unfilled =>
  new Unfilled(
    "TOO_MANY_CHILDREN",
    `${where} has ${found} children; at most ${most} are allowed`,
    "Raise `max` (1000 at most), or make fewer",
  );

/** A step without expressions, as it is meant: `$${{` is `${{`. */
export function plainStep(step: Step): Step {
  const plain = mapTexts(step, (text, place) => (place === "env" ? text : unescapeTemplate(text)));
  if (plain.kind !== "group") return plain;
  const { body } = plain;
  const values = <T>(value: T): T => mapValue(value, unescapeTemplate) as T;
  if (body.kind === "pipeline") return { ...plain, body: { ...body, with: values(body.with) } };
  if (body.kind === "best-of" || body.over.kind === "list") return plain;
  const { axes, include, exclude } = body.over;
  return { ...plain, body: { ...body, over: { kind: "matrix", axes: values(axes), include: values(include), exclude: values(exclude) } } };
}
