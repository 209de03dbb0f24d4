import { evaluate, HOOK_VARIABLES, parseExpression } from "./expression/cel.ts";

/** What a filter sees, JSON. `step` is null for events of no step. */
export type FilterScope = Readonly<Record<(typeof HOOK_VARIABLES)[number], unknown>>;

/** A condition over an event: CEL, as in pipelines, with `event`, `run` and `step` instead of their names. */
export type HookFilter = (scope: FilterScope) => { ok: true; holds: boolean } | { ok: false; message: string };

/** Parsed once, evaluated for every event. What it costs is bounded as in pipelines; it never throws. */
export function compileHookFilter(text: string): { ok: true; filter: HookFilter } | { ok: false; message: string; hint: string } {
  const parsed = parseExpression(text, HOOK_VARIABLES);
  if (!parsed.ok) return parsed;
  const { references, type } = parsed.expression;
  const unknown = references.find((r) => !HOOK_VARIABLES.some((name) => name === r.root));
  if (unknown)
    return { ok: false, message: `There is no ${unknown.root}`, hint: `There are ${HOOK_VARIABLES.join(", ")}; text stands in quotes` };
  if (type !== "bool" && type !== "any") return { ok: false, message: "It is no condition", hint: "Write one that is true or false" };
  return {
    ok: true,
    filter: (scope) => {
      const value = evaluate(text, (root) => (scope as Record<string, unknown>)[root]);
      return value.ok ? { ok: true, holds: value.value === true } : { ok: false, message: value.message };
    },
  };
}
