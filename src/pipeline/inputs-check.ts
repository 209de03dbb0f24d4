import { describeValue, dotted, named, type YamlSource } from "../config/index.ts";
import type { Input } from "../domain/index.ts";
import { isOfType, readInput } from "./inputs.ts";
import type { PipelineProblem } from "./problem.ts";
import type { Inputs } from "./reading.ts";
import type { InputFields, PipelineFields } from "./shape.ts";
import { NAME_PATTERN } from "./texts-shape.ts";

/** The inputs of the file as the domain has them: each with a type, said or seen from its default. */
export function inputsOf(fields: Pick<PipelineFields, "inputs">): Inputs | undefined {
  return fields.inputs && Object.fromEntries(Object.entries(fields.inputs).map(([name, input]) => [name, inputOf(input)]));
}

function inputOf(fields: InputFields): Input {
  if (typeof fields === "string") return { type: fields };
  if (typeof fields !== "object" || Array.isArray(fields)) return { type: typeOf(fields), default: fields };
  const { type = typeOf(fields.default ?? fields.choices?.[0]), description, choices } = fields;
  return {
    type,
    ...(description === undefined ? {} : { description }),
    ...(fields.default === undefined || fields.default === null ? {} : { default: fields.default }),
    ...(choices === undefined ? {} : { choices }),
  };
}

function typeOf(value: unknown): Input["type"] {
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return "number";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && value !== null ? "map" : "string";
}

/** Names that expressions cannot say, and defaults and choices of another type. */
export function inputProblems(source: YamlSource, inputs: Inputs): PipelineProblem[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    const path = ["inputs", name];
    const at = (...keys: string[]): string[] => (source.has([...path, ...keys]) ? [...path, ...keys] : path);
    const problems: PipelineProblem[] = [];
    if (!NAME_PATTERN.test(name)) {
      const hint = "Use letters, digits and `_`, not beginning with a digit: `${{ inputs.name }}`";
      problems.push(source.problem("BAD_ID", path, `${named(name)} cannot be the name of an input`, hint, "key"));
    }
    for (const [i, choice] of (input.choices ?? []).entries()) {
      if (isOfType(input.type, choice)) continue;
      const place = at("choices", String(i));
      problems.push(
        source.problem(
          "BAD_INPUT",
          place,
          `${dotted(place)}${describeValue(choice)} is not of the type ${input.type}`,
          "Let type and choices agree",
        ),
      );
    }
    if (input.default === undefined || problems.length > 0) return problems;
    // Only a command line writes `3` for a number: in the file it is one.
    const read = isOfType(input.type, input.default) ? readInput(input, input.default) : undefined;
    if (read?.ok) return problems;
    const place = at("default");
    const hint = read?.hint ?? `Write a value of the type ${input.type}, or change \`type\``;
    const message = `${dotted(place)}${describeValue(input.default)} ${read ? "is none of the choices" : `is not of the type ${input.type}`}`;
    return [...problems, source.problem("BAD_INPUT", place, message, hint)];
  });
}
