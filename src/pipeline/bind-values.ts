import type { AgentStep, GroupStep, Step } from "../domain/index.ts";
import { bind } from "./expression/cel.ts";
import { celOf, escapeTemplate, parseTemplate } from "./expression/template.ts";
import type { Locals } from "./fill.ts";
import { mapTexts, mapValue } from "./step-texts.ts";

/**
 * Values of a child (`matrix`, `item`, `index`, `round`) put into the expressions below it, which are computed later: `${{ item }}` becomes
 * `${{ cel.bind(item, "a", item) }}`. So a step needs nothing but its own scope when its turn comes, however deep it stands.
 */
export function bindStep(step: Step, values: Locals): Step {
  // What is not open has no expressions, and its texts must not be read as if they had.
  const texts = step.dynamic ? mapTexts(step, (text) => bindTemplate(text, values)) : step;
  const bound: Step = step.if === undefined ? texts : { ...texts, if: bindCel(step.if, values) };
  return bound.kind === "group" ? bindGroup(bound, values) : bound;
}

function bindGroup(step: GroupStep, values: Locals): GroupStep {
  const { body } = step;
  const own = <T>(value: T): T => (step.dynamic ? (mapValue(value, (text) => bindTemplate(text, values)) as T) : value);
  if (body.kind === "each") {
    const { over } = body;
    const bound =
      over.kind === "list"
        ? { kind: "list" as const, items: step.dynamic ? bindCel(over.items, values) : over.items }
        : { kind: "matrix" as const, axes: own(over.axes), include: own(over.include), exclude: own(over.exclude) };
    // Inside, its own names hide those from outside.
    const hidden = over.kind === "list" ? ["item", "index"] : ["matrix", "index"];
    return { ...step, body: { ...body, over: bound, step: bindStep(body.step, without(values, hidden)) } };
  }
  if (body.kind === "best-of") return { ...step, body: { ...body, step: bindStep(body.step, values) as AgentStep } };
  const inside = body.repeat ? without(values, ["round"]) : values;
  const { pipeline } = body;
  const outputs = pipeline.outputs && mapRecord(pipeline.outputs, (text) => bindCel(text, inside));
  return {
    ...step,
    body: {
      ...body,
      with: own(body.with),
      ...(body.repeat ? { repeat: { ...body.repeat, until: bindCel(body.repeat.until, inside) } } : {}),
      pipeline: { ...pipeline, ...(outputs ? { outputs } : {}), steps: pipeline.steps.map((s) => bindStep(s, inside)) },
    },
  };
}

const without = (values: Locals, names: readonly string[]): Locals =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

const mapRecord = (record: Readonly<Record<string, string>>, change: (text: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, text]) => [key, change(text)]));

function bindCel(text: string, values: Locals): string {
  const cel = celOf(text);
  return cel.ok ? bind(cel.text, values) : text;
}

function bindTemplate(text: string, values: Locals): string {
  const parsed = parseTemplate(text);
  if (!parsed.ok) return text;
  return parsed.parts
    .map((part) => {
      if (part.kind === "text") return escapeTemplate(part.text);
      return part.kind === "secret" ? `\${{ secrets.${part.name} }}` : `\${{ ${bind(part.text, values)} }}`;
    })
    .join("");
}
