import { describeValue, dotted, ID_PATTERN, named, shapeProblems, type Path } from "../config/index.ts";
import type { Step } from "../domain/index.ts";
import type { z } from "zod";
import { finishStep, buildApprove, buildAsk, buildWork, type Flow } from "./build.ts";
import { buildBestOf, buildEach, buildNested, type EachFields } from "./build-groups.ts";
import { envAt, envProblems } from "./env-check.ts";
import { checkText, type Visible } from "./expression-check.ts";
import { approveProblems, askProblems, eachProblems, withProblems } from "./field-checks.ts";
import { gateProblems, jsonSchemaProblems } from "./gate-checks.ts";
import type { StepOrder } from "./needs-check.ts";
import type { PipelineProblem } from "./problem.ts";
import { isMap, type Names, type Reading, type ReadPipeline } from "./reading.ts";
import {
  AgentStepShape,
  AnyStepShape,
  ApproveStepShape,
  AskStepShape,
  CommandStepShape,
  PipelineStepShape,
  StepsStepShape,
} from "./shape.ts";
import { contractProblems, kindOf, kindProblems, type StepKind } from "./step-kinds.ts";
import { placeInStep, textsIn } from "./text-places.ts";

interface Checked {
  problems: PipelineProblem[];
  /** Only when there are none. */
  step?: Step;
}

/** One step, at `path`: all its problems, and the step itself when it has none. */
export function checkStep(reading: Reading, path: Path, order: StepOrder, ids: readonly string[]): Checked {
  const { source } = reading;
  const id = String(path.at(-1));
  const problems: PipelineProblem[] = [];
  if (!ID_PATTERN.test(id)) {
    const hint = "Use lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 64";
    problems.push(source.problem("BAD_ID", path, `${named(id)} cannot be a step's id`, hint, "key"));
  }
  const value = source.valueAt(path);
  if (!isMap(value)) {
    const message = `${dotted(path)}expected a map, found ${describeValue(value)}`;
    problems.push(source.problem("WRONG_TYPE", path, message, "Write `prompt:` or `command:` under the step's id"));
    return { problems };
  }
  const kind = kindOf(Object.keys(value));
  problems.push(...kindProblems(source, path, kind), ...contractProblems(source, path, kind));
  problems.push(...envProblems(source, [...path, "env"]), ...gateProblems(source, path));
  if (value["on-failure"] === true && value["finally"] === true) {
    const hint = "Keep `finally`, with an `if` on the outcomes it is about";
    problems.push(source.problem("BAD_VALUE", [...path, "on-failure"], `${named(id)} is both on-failure and finally`, hint, "key"));
  }
  problems.push(...stepExpressions(reading, path, kind, value, order, ids));
  const schema = source.valueAt([...path, "outputs", "json", "schema"]);
  if (isMap(schema) && kind !== "steps") problems.push(...jsonSchemaProblems(source, [...path, "outputs", "json", "schema"], schema));

  const flow: Flow = { path: id, needs: order.needs.get(id) ?? [], ownEnv: envAt(source, [...path, "env"]) };
  const parsed = parseKind(reading, path, kind, flow, problems, order);
  return parsed === undefined || problems.length > 0 ? { problems } : { problems, step: finishStep(parsed) };
}

/** Parses by the shape of its kind, adding problems to those given. */
function parseKind(
  reading: Reading,
  path: Path,
  kind: StepKind,
  flow: Flow,
  problems: PipelineProblem[],
  order: StepOrder,
): Step | undefined {
  const { source } = reading;
  const parse = <T>(shape: z.ZodType<T>): T | undefined => {
    const parsed = shape.safeParse(source.valueAt(path));
    if (!parsed.success) problems.push(...shapeProblems(source, path, parsed.error));
    return parsed.data;
  };
  const each = (fields: EachFields, step: Step): Step => {
    problems.push(...eachProblems(source, path, fields));
    return buildEach(fields, step);
  };
  switch (kind) {
    case "prompt": {
      const fields = parse(AgentStepShape);
      return fields && each(fields, buildBestOf(fields, buildWork({ kind: "agent", prompt: fields.prompt, fields, flow }, reading)));
    }
    case "command": {
      const fields = parse(CommandStepShape);
      return fields && each(fields, buildWork({ kind: "command", command: fields.command, fields, flow }, reading));
    }
    case "approve": {
      const fields = parse(ApproveStepShape);
      if (!fields) return undefined;
      problems.push(...approveProblems(source, path, fields, (id) => order.isBefore(id, flow.path)));
      return buildApprove(fields, flow);
    }
    case "ask": {
      const fields = parse(AskStepShape);
      if (!fields) return undefined;
      problems.push(...askProblems(source, path, fields));
      return buildAsk(fields, flow);
    }
    case "pipeline": {
      const fields = parse(PipelineStepShape);
      if (!fields) return undefined;
      const found = reading.nested.file(reading, path, fields.pipeline, fields.repeat !== undefined);
      problems.push(...found.problems);
      if (!found.read) return undefined;
      problems.push(...withProblems(source, path, fields.with ?? {}, found.read.pipeline.inputs ?? {}));
      // A file sees its own inputs only, even when it has none.
      const read = { ...found.read, pipeline: { ...found.read.pipeline, inputs: found.read.pipeline.inputs ?? {} } };
      const nested = buildNested(fields, flow, read);
      problems.push(...untilProblems(reading, path, nested.body, found.read.names, fields.repeat !== undefined));
      return each(fields, nested.step);
    }
    case "steps": {
      const fields = parse(StepsStepShape);
      const inside = insideOf(reading, path);
      const found = reading.nested.inPlace(inside, [...path, "steps"]);
      problems.push(...found.problems);
      if (!fields || !found.pipeline) return undefined;
      const pipeline = { ...found.pipeline, ...(fields.outputs ? { outputs: fields.outputs } : {}) };
      const read: ReadPipeline = { pipeline, file: reading.file, env: reading.env, names: inside.names };
      const nested = buildNested(fields, flow, read);
      problems.push(...untilProblems(reading, path, nested.body, inside.names, fields.repeat !== undefined));
      problems.push(...outputProblems(reading, path, nested.body, inside.names));
      return each(fields, nested.step);
    }
    case "both":
    case "none":
    case "later":
      parse(AnyStepShape);
      return undefined;
    case "several":
      return undefined;
    default:
      kind satisfies never;
      return undefined;
  }
}

/** Steps written in place see what is around them, what `with` adds, and the values of the matrix they stand in. */
function insideOf(reading: Reading, path: Path): Reading {
  const { source, names } = reading;
  const inputs = new Set([...names.inputs, ...source.keys([...path, "with"])]);
  const own = ownLocals(reading, path);
  const locals = new Set([...own.locals, ...(source.has([...path, "repeat"]) ? ["round"] : [])]);
  return { ...reading, names: { ...own, inputs, locals }, depth: reading.depth + 1 };
}

/** Names in the texts of a step: with the item or the combination it is made for. */
function ownLocals(reading: Reading, path: Path): Names {
  const { source, names } = reading;
  const isMatrix = source.has([...path, "matrix"]);
  const isList = source.has([...path, "foreach"]);
  if (!isMatrix && !isList) return names;
  const locals = new Set([...names.locals, ...(isMatrix ? ["matrix", "index"] : []), ...(isList ? ["item", "index"] : [])]);
  if (!isMatrix) return { ...names, locals };
  const keys = source.keys([...path, "matrix"]).filter((key) => key !== "include" && key !== "exclude");
  const included = source.valueAt([...path, "matrix", "include"]);
  const more = (Array.isArray(included) ? included : []).flatMap((map: unknown) => (isMap(map) ? Object.keys(map) : []));
  return { ...names, locals, axes: new Set([...keys, ...more]) };
}

function stepExpressions(
  reading: Reading,
  path: Path,
  kind: StepKind,
  value: Record<string, unknown>,
  order: StepOrder,
  ids: readonly string[],
): PipelineProblem[] {
  const { source } = reading;
  const of = String(path.at(-1));
  const outside: Visible = {
    ...reading.names,
    steps: ids,
    step: (id) => (order.isBefore(id, of) ? "over" : order.needs.has(id) ? "elsewhere" : "unknown"),
    of,
  };
  const inside: Visible = { ...outside, ...ownLocals(reading, path) };
  return [...textsIn(value)].flatMap(({ path: below, text }) => {
    const place = kind === "steps" && below[0] === "outputs" ? "opaque" : placeInStep(below);
    if (place === "opaque") return [];
    // A group's condition and its values come before there is a child.
    const visible = ["if", "matrix", "foreach"].includes(below[0] ?? "") ? outside : inside;
    return checkText(source, [...path, ...below], text, place, visible);
  });
}

/** Expressions about the steps inside, checked when these are known. */
function insideVisible(body: readonly Step[], names: Names): Visible {
  const ids = new Set(body.map((step) => step.path));
  return { ...names, steps: ids, step: (id) => (ids.has(id) ? "over" : "unknown") };
}

function untilProblems(reading: Reading, path: Path, body: readonly Step[], names: Names, isRepeated: boolean): PipelineProblem[] {
  if (!isRepeated) return [];
  const { source } = reading;
  const until = source.valueAt([...path, "repeat", "until"]);
  const visible = insideVisible(body, { ...names, locals: new Set([...names.locals, "round"]) });
  if (typeof until === "string") return checkText(source, [...path, "repeat", "until"], until, "condition", visible);
  const command = isMap(until) ? until["command"] : undefined;
  if (typeof command !== "string") return [];
  const found = checkText(source, [...path, "repeat", "until", "command"], command, "command", { ...visible, of: "until" });
  if (body.filter((step) => step.path === "until").length < 2) return found;
  const message = "`until: { command }` adds a step `until`, and there is one already";
  return [...found, source.problem("BAD_ID", [...path, "repeat", "until"], message, "Rename the step")];
}

function outputProblems(reading: Reading, path: Path, body: readonly Step[], names: Names): PipelineProblem[] {
  const { source } = reading;
  const visible = insideVisible(body, names);
  return source.keys([...path, "outputs"]).flatMap((name) => {
    const text = source.valueAt([...path, "outputs", name]);
    return typeof text === "string" ? checkText(source, [...path, "outputs", name], text, "any", visible) : [];
  });
}
