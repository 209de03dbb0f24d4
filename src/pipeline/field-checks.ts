import { dotted, named, nearest, type Path, type YamlSource } from "../config/index.ts";
import type { EachFields } from "./build-groups.ts";
import { parseTemplate } from "./expression/template.ts";
import { readInput } from "./inputs.ts";
import { combinations, type Combination } from "./matrix.ts";
import type { PipelineProblem } from "./problem.ts";
import type { Inputs } from "./reading.ts";
import type { ApproveFields, AskFields } from "./shape.ts";
import { NAME_PATTERN } from "./texts-shape.ts";
import { textsIn } from "./text-places.ts";

export const DEFAULT_MOST = 100;

const isOpen = (value: unknown): boolean =>
  [...textsIn(value)].some(({ text }) => {
    const parsed = parseTemplate(text);
    return !parsed.ok || parsed.parts.some((part) => part.kind !== "text");
  });

/** `matrix` and `foreach`: as many children as may be, axes that expressions can name. */
export function eachProblems(source: YamlSource, path: Path, fields: EachFields): PipelineProblem[] {
  const { matrix, foreach } = fields;
  const most = fields.max ?? DEFAULT_MOST;
  const problems: PipelineProblem[] = [];
  if (matrix === undefined && foreach === undefined) {
    for (const key of ["max", "fail-fast", "parallel"] as const)
      if (fields[key] !== undefined)
        problems.push(
          source.problem("BAD_VALUE", [...path, key], `${named(key)} has no effect without \`matrix\` or \`foreach\``, "Remove it", "key"),
        );
    return problems;
  }
  if (matrix !== undefined && foreach !== undefined)
    return [
      source.problem(
        "BAD_VALUE",
        [...path, "foreach"],
        "A step has either `matrix` or `foreach`",
        "Make the list an axis of the matrix",
        "key",
      ),
    ];
  const tooMany = (key: string, found: number): PipelineProblem =>
    source.problem(
      "TOO_MANY_CHILDREN",
      [...path, key],
      `${dotted([...path, key])}makes ${found} steps; at most ${most} are allowed`,
      "Raise `max` (1000 at most), or make fewer",
      "key",
    );
  if (Array.isArray(foreach) && foreach.length > most) problems.push(tooMany("foreach", foreach.length));
  if (matrix === undefined) return problems;
  const { include = [], exclude = [], ...axes } = matrix as { include?: Combination[]; exclude?: Combination[] } & Record<string, unknown>;
  for (const axis of Object.keys(axes)) {
    if (NAME_PATTERN.test(axis)) continue;
    const hint = "Use letters, digits and `_`, not beginning with a digit: `${{ matrix.name }}`";
    problems.push(source.problem("BAD_ID", [...path, "matrix", axis], `${named(axis)} cannot be the name of an axis`, hint, "key"));
  }
  if (problems.length > 0 || isOpen(matrix)) {
    for (const [axis, value] of Object.entries(axes))
      if (typeof value === "string" && !isOpen(value))
        problems.push(
          source.problem(
            "WRONG_TYPE",
            [...path, "matrix", axis],
            `${dotted([...path, "matrix", axis])}expected a list`,
            "Write `[a, b]`, or `${{ }}` that answers a list",
          ),
        );
    return problems;
  }
  const lists: Record<string, unknown[]> = {};
  for (const [axis, value] of Object.entries(axes)) {
    if (Array.isArray(value)) lists[axis] = value;
    else
      problems.push(
        source.problem(
          "WRONG_TYPE",
          [...path, "matrix", axis],
          `${dotted([...path, "matrix", axis])}expected a list`,
          "Write `[a, b]`, or `${{ }}` that answers a list",
        ),
      );
  }
  if (problems.length > 0) return problems;
  const found = combinations(lists, include, exclude, most).length;
  if (found > most) return [tooMany("matrix", found)];
  if (found > 0) return [];
  return [
    source.problem("BAD_VALUE", [...path, "matrix"], "The matrix makes no step at all", "Add an axis with values, or exclude less", "key"),
  ];
}

/** An approval that nobody can give, or that can only expire. */
export function approveProblems(
  source: YamlSource,
  path: Path,
  fields: ApproveFields,
  isBefore: (id: string) => boolean,
): PipelineProblem[] {
  const { approve } = fields;
  if (typeof approve === "string") return [];
  const at = (key: string): Path => [...path, "approve", key];
  const problems: PipelineProblem[] = [];
  const who = typeof approve.who === "string" ? [approve.who] : (approve.who ?? []);
  if (approve.count !== undefined && who.length > 0 && approve.count > new Set(who).size)
    problems.push(
      source.problem(
        "BAD_VALUE",
        at("count"),
        `${approve.count} must agree, but only ${new Set(who).size} may`,
        "Lower `count`, or name more people",
      ),
    );
  if (approve["on-expiry"] !== undefined && approve.expires === undefined)
    problems.push(source.problem("BAD_VALUE", at("on-expiry"), "It never expires", "Add `expires: 2d`", "key"));
  const rework = typeof approve.rework === "string" ? [approve.rework] : (approve.rework ?? []);
  for (const [i, id] of rework.entries()) {
    if (isBefore(id)) continue;
    const place = typeof approve.rework === "string" ? at("rework") : [...at("rework"), String(i)];
    problems.push(
      source.problem(
        "NOT_A_NEED",
        place,
        `${named(String(path.at(-1)))} does not need ${named(id)}`,
        "Name steps that come before the approval",
      ),
    );
  }
  return problems;
}

export function askProblems(source: YamlSource, path: Path, fields: AskFields): PipelineProblem[] {
  const { ask } = fields;
  if (typeof ask === "string") return [];
  const at = (key: string): Path => [...path, "ask", key];
  const problems: PipelineProblem[] = [];
  if (ask.default !== undefined && ask.after === undefined)
    problems.push(source.problem("BAD_VALUE", at("default"), "Nothing says when the default holds", "Add `after: 1h`", "key"));
  if (ask.after !== undefined && ask.default === undefined)
    problems.push(source.problem("BAD_VALUE", at("after"), "There is no answer to take then", "Add `default: ...`", "key"));
  if (ask.default !== undefined && ask.choices !== undefined && !isOpen([ask.default, ask.choices]) && !ask.choices.includes(ask.default))
    problems.push(source.problem("BAD_VALUE", at("default"), `${named(ask.default)} is none of the choices`, "Choose one of them"));
  return problems;
}

/** What `with` gives, against what the nested pipeline takes. */
export function withProblems(source: YamlSource, path: Path, given: Readonly<Record<string, unknown>>, inputs: Inputs): PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  const names = Object.keys(inputs);
  for (const [name, value] of Object.entries(given)) {
    const at = [...path, "with", name];
    const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (input === undefined) {
      const near = nearest(name, names);
      const hint = near ? `Did you mean ${named(near)}?` : names.length > 0 ? `Its inputs are ${names.join(", ")}` : "It has no inputs";
      problems.push(source.problem("BAD_INPUT", at, `The nested pipeline has no input ${named(name)}`, hint, "key"));
    } else if (!isOpen(value)) {
      const read = readInput(input, value);
      if (!read.ok) problems.push(source.problem("BAD_INPUT", at, `The input ${named(name)} ${read.message}`, read.hint));
    }
  }
  for (const [name, input] of Object.entries(inputs)) {
    if (input.default !== undefined || Object.hasOwn(given, name)) continue;
    const place = source.has([...path, "with"]) ? [...path, "with"] : [...path, "pipeline"];
    problems.push(
      source.problem(
        "MISSING_INPUT",
        place,
        `The nested pipeline needs the input ${named(name)}`,
        `Add it: \`with: { ${name}: ... }\``,
        "key",
      ),
    );
  }
  return problems;
}
