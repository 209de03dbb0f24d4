import { dotted, named, nearest, type Path, type YamlSource } from "../config/index.ts";
import { parseExpression, VARIABLES, type CelType } from "./expression/cel.ts";
import type { Reference } from "./expression/references.ts";
import { shellPlaces } from "./expression/shell.ts";
import { celOf, parseTemplate } from "./expression/template.ts";
import { placeInside } from "./place-inside.ts";
import type { PipelineProblem, PipelineProblemCode } from "./problem.ts";
import type { Names } from "./reading.ts";

/** What the expressions of one place may name. */
export interface Visible extends Names {
  /** Whether a step is over by then; `elsewhere`: it is a step, but may not be. */
  step: (id: string) => "over" | "elsewhere" | "unknown";
  steps: Iterable<string>;
  /** The step it stands in, if any. */
  of?: string | undefined;
}

/** What a text is: a text with `${{ }}` in it, for some use, or CEL with the type that its place needs. */
export type ExpressionPlace = "text" | "command" | "env" | "glob" | "value" | "condition" | "list" | "any" | "nowhere";

/** Everything wrong with the expressions of a text at `path`. */
export function checkText(source: YamlSource, path: Path, text: string, place: ExpressionPlace, visible: Visible): PipelineProblem[] {
  const problem = (code: PipelineProblemCode, at: number, message: string, hint: string): PipelineProblem => ({
    code,
    file: source.file,
    ...placeInside(source, path, text, at),
    message: `${dotted(path)}${message}`,
    hint,
  });
  if (place === "condition" || place === "list" || place === "any") {
    const cel = celOf(text);
    if (!cel.ok) return [problem("BAD_EXPRESSION", cel.at, cel.message, cel.hint)];
    return checkExpression(cel.text, cel.at, place, visible, problem);
  }
  if (!text.includes("${{")) return [];
  const parsed = parseTemplate(text);
  if (!parsed.ok) return [problem("BAD_EXPRESSION", parsed.at, parsed.message, parsed.hint)];
  const expressions = parsed.parts.filter((part) => part.kind !== "text");
  const first = expressions[0];
  if (place === "nowhere") {
    if (first === undefined) return [];
    return [
      problem("EXPRESSION_NOT_HERE", text.indexOf("${{"), "`${{ }}` has no effect here", "Write the value itself; `$${{` is the text"),
    ];
  }
  const problems = expressions.flatMap((part) => {
    if (part.kind === "expression") return checkExpression(part.text, part.at, "any", visible, problem);
    if (place !== "env") return [secretNotHere(problem, part.at)];
    if (visible.secrets.has(part.name)) return [];
    const hint = nearestHint(part.name, visible.secrets) ?? `Name it at the top of the file: \`secrets: [${part.name}]\``;
    return [problem("UNKNOWN_SECRET", part.at, `the file declares no secret ${named(part.name)}`, hint)];
  });
  if (place === "command" && problems.length === 0) {
    const places = shellPlaces(parsed.parts);
    if (!places.ok) problems.push(problem("UNSAFE_EXPRESSION", places.at, lowerFirst(places.message), places.hint));
  }
  return problems;
}

type Complain = (code: PipelineProblemCode, at: number, message: string, hint: string) => PipelineProblem;

const secretNotHere = (problem: Complain, at: number): PipelineProblem =>
  problem(
    "UNKNOWN_SECRET",
    at,
    "a secret may stand in `env` only, alone in its `${{ }}`",
    "Write `env: { TOKEN: ${{ secrets.TOKEN }} }` and use $TOKEN",
  );

function checkExpression(
  text: string,
  at: number,
  place: "condition" | "list" | "any",
  visible: Visible,
  problem: Complain,
): PipelineProblem[] {
  const parsed = parseExpression(text);
  if (!parsed.ok) return [problem("BAD_EXPRESSION", at + parsed.at, lowerFirst(parsed.message), parsed.hint)];
  const { references, type } = parsed.expression;
  const problems = references.flatMap((reference) => checkReference(reference, at, visible, problem));
  if (problems.length > 0) return problems;
  const wanted: CelType | undefined = place === "condition" ? "bool" : place === "list" ? "list" : undefined;
  if (wanted === undefined || type === wanted || type === "any") return [];
  const found = {
    bool: "true or false",
    number: "a number",
    string: "text",
    list: "a list",
    map: "a map",
    null: "nothing",
    any: "a value",
  }[type];
  return place === "condition"
    ? [problem("BAD_EXPRESSION", at, `the condition is ${found}, not true or false`, "Compare it with something: `== ...`")]
    : [problem("BAD_EXPRESSION", at, `the expression is ${found}, not a list`, "Let it answer a list")];
}

const NOT_A_STEP_FIELD = "A step has `outcome`, `output` and `summary`";

function checkReference(reference: Reference, base: number, visible: Visible, complain: Complain): PipelineProblem[] {
  const { root, keys, at } = reference;
  const [first, second] = keys;
  const problem = (code: PipelineProblemCode, message: string, hint: string): PipelineProblem[] => [
    complain(code, base + at, message, hint),
  ];
  switch (root) {
    case "inputs": {
      if (first === undefined) return problem("UNKNOWN_VARIABLE", "say which input", "Write `inputs.name`");
      if (visible.inputs.has(first)) return [];
      const known = [...visible.inputs];
      const hint =
        nearestHint(first, visible.inputs) ?? (known.length > 0 ? `There are ${known.join(", ")}` : "Declare it under `inputs` at the top");
      return problem("UNKNOWN_VARIABLE", `there is no input ${named(first)}`, hint);
    }
    case "steps": {
      if (first === undefined) return problem("UNKNOWN_VARIABLE", "say which step, by its id", "Write `steps.fix.outcome`");
      if (first === visible.of) return problem("NOT_A_NEED", `${named(first)} cannot use its own result`, "Use that of a step before it");
      const state = visible.step(first);
      if (state === "unknown") {
        const hint = nearestHint(first, visible.steps) ?? "Name a step of this pipeline";
        return problem("UNKNOWN_VARIABLE", `there is no step ${named(first)} here`, hint);
      }
      if (state === "elsewhere") {
        const who = visible.of === undefined ? "this" : named(visible.of);
        return problem(
          "NOT_A_NEED",
          `${who} does not need ${named(first)}, which may not be over by then`,
          `Add ${named(first)} to \`needs\``,
        );
      }
      if (second === undefined) return reference.open ? problem("UNKNOWN_VARIABLE", "say what of the step", NOT_A_STEP_FIELD) : [];
      if (["outcome", "output", "summary"].includes(second)) return [];
      return problem(
        "UNKNOWN_VARIABLE",
        `a step has no ${named(second)}`,
        nearestHint(second, ["outcome", "output", "summary"]) ?? NOT_A_STEP_FIELD,
      );
    }
    case "run":
      if (first === undefined || first === "id" || first === "branch") return [];
      return problem("UNKNOWN_VARIABLE", `a run has no ${named(first)}`, "There are `run.id` and `run.branch`");
    case "matrix":
      if (!visible.locals.has(root)) return problem("UNKNOWN_VARIABLE", "there is no `matrix` here", LOCAL_HINTS.matrix);
      if (first === undefined || visible.axes === undefined || visible.axes.has(first)) return [];
      return problem(
        "UNKNOWN_VARIABLE",
        `the matrix has no axis ${named(first)}`,
        nearestHint(first, visible.axes) ?? `There are ${[...visible.axes].join(", ")}`,
      );
    case "item":
    case "index":
    case "round":
      return visible.locals.has(root) ? [] : problem("UNKNOWN_VARIABLE", `there is no ${named(root)} here`, LOCAL_HINTS[root]);
    case "secrets":
      return [secretNotHere(complain, base + at)];
    default:
      return problem(
        "UNKNOWN_VARIABLE",
        `${named(root)} is nothing that is known here`,
        nearestHint(root, VARIABLES) ?? variablesHint(visible),
      );
  }
}

const LOCAL_HINTS = {
  matrix: "Only texts of a step with `matrix` have it; its `if` does not",
  item: "Only texts of a step with `foreach` have it; its `if` does not",
  index: "Only texts of a step with `foreach` or `matrix` have it; its `if` does not",
  round: "Only steps inside a step with `repeat` have it",
} as const;

const variablesHint = (visible: Visible): string =>
  `There are ${[...VARIABLES.filter((v) => ["inputs", "steps", "run"].includes(v)), ...visible.locals].join(", ")}; text stands in quotes`;

function nearestHint(word: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(word, candidates);
  return near === undefined ? undefined : `Did you mean ${named(near)}?`;
}

const lowerFirst = (text: string): string => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);
