import { describeValue, dotted, ID_PATTERN, named, shapeProblems, type YamlSource } from "../config/index.ts";
import type { CheckedStep } from "./build.ts";
import { envAt, envProblems } from "./env-check.ts";
import { compileJsonSchema } from "./json-schema.ts";
import type { PipelineProblem } from "./problem.ts";
import { AgentStepShape, AnyStepShape, CommandStepShape } from "./shape.ts";
import { COMMAND_WORDS, LATER_STEP_KINDS, PROMPT_WORDS } from "./vocabulary.ts";

type StepKind = "agent" | "command" | "later" | "both" | "none";

/** One step of the file: all its problems, and the step itself when it has none. `env`: the file's variables. */
export function checkStep(
  source: YamlSource,
  id: string,
  env: Readonly<Record<string, string>>,
): { problems: PipelineProblem[]; step?: CheckedStep } {
  const path = ["steps", id];
  const problems: PipelineProblem[] = [];
  if (!ID_PATTERN.test(id)) {
    const hint = "Use lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 64";
    problems.push(source.problem("BAD_ID", path, `${named(id)} cannot be a step's id`, hint, "key"));
  }
  const value = source.valueAt(path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = `${dotted(path)}expected a map, found ${describeValue(value)}`;
    problems.push(source.problem("WRONG_TYPE", path, message, "Write `prompt:` or `command:` under the step's id"));
    return { problems };
  }
  const kind = kindOf(Object.keys(value));
  problems.push(...kindProblems(source, path, kind), ...contractProblems(source, path, kind));
  problems.push(...envProblems(source, [...path, "env"]), ...duplicateGateProblems(source, path));

  const shape = kind === "agent" ? AgentStepShape : kind === "command" ? CommandStepShape : AnyStepShape;
  const parsed = shape.safeParse(value);
  if (!parsed.success) problems.push(...shapeProblems(source, path, parsed.error));
  const schema = source.valueAt([...path, "outputs", "json", "schema"]);
  if (isMap(schema)) problems.push(...jsonSchemaProblems(source, [...path, "outputs", "json", "schema"], schema));
  if (!parsed.success || problems.length > 0) return { problems };

  const fields = { ...parsed.data };
  const step = { path: id, fields, env: { ...env, ...envAt(source, [...path, "env"]) } };
  if ("prompt" in fields && fields.prompt !== undefined) return { problems, step: { ...step, kind: "agent", prompt: fields.prompt } };
  if ("command" in fields && fields.command !== undefined) return { problems, step: { ...step, kind: "command", command: fields.command } };
  return { problems };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function kindOf(keys: readonly string[]): StepKind {
  const isAgent = keys.includes("prompt");
  const isCommand = keys.includes("command");
  if (isAgent && isCommand) return "both";
  if (isAgent) return "agent";
  if (isCommand) return "command";
  if (keys.some((k) => LATER_STEP_KINDS.includes(k))) return "later";
  // `run: npm test` is answered as a misspelt `command`, not as a step without a kind.
  if (keys.some((k) => COMMAND_WORDS.includes(k))) return "command";
  return keys.some((k) => PROMPT_WORDS.includes(k)) ? "agent" : "none";
}

function kindProblems(source: YamlSource, path: string[], kind: StepKind): PipelineProblem[] {
  const id = named(path.at(-1) ?? "");
  if (kind === "both") {
    return [
      source.problem(
        "STEP_TWO_KINDS",
        [...path, "command"],
        `${id} has both a prompt and a command`,
        "Keep one; a check of the agent's work goes under `gates`",
        "key",
      ),
    ];
  }
  if (kind !== "none") return [];
  return [
    source.problem(
      "STEP_NO_KIND",
      path,
      `${id} has neither a prompt nor a command`,
      "Add `prompt: ...` for an agent, or `command: ...` for the shell",
      "key",
    ),
  ];
}

/** The completion contract: something other than the step's own word tells when it is done. */
function contractProblems(source: YamlSource, path: string[], kind: StepKind): PipelineProblem[] {
  if (kind === "later") return [];
  const { outputs, gates, readonly } = source.valueAt(path) as Record<string, unknown>;
  // A value of a wrong type is a problem of its own, and shows that a contract was meant.
  const isDeclared = (value: unknown): boolean => {
    if (value === undefined || value === null) return false;
    if (Array.isArray(value)) return value.length > 0;
    return isMap(value) ? Object.entries(value).some(([, part]) => !Array.isArray(part) || part.length > 0) : true;
  };
  if (isDeclared(outputs) || isDeclared(gates) || (readonly !== undefined && readonly !== false)) return [];
  const message = `Nothing tells when ${named(path.at(-1) ?? "")} is done: it declares no outputs, no gates, and is not readonly`;
  return [
    source.problem(
      "STEP_NO_CONTRACT",
      path,
      message,
      "Add `outputs: [path]`, `gates: [command]`, or `readonly: true` if it changes no file",
      "key",
    ),
  ];
}

function duplicateGateProblems(source: YamlSource, path: string[]): PipelineProblem[] {
  const gates = source.valueAt([...path, "gates"]);
  const seen = new Set<string>();
  return (Array.isArray(gates) ? gates : []).flatMap((gate: unknown, i) => {
    const name = isMap(gate) ? gate["name"] : undefined;
    if (typeof name !== "string") return [];
    if (!seen.has(name)) return (seen.add(name), []);
    return [
      source.problem(
        "BAD_VALUE",
        [...path, "gates", String(i), "name"],
        `Two gates are called ${named(name)}`,
        "Give each gate a name of its own",
      ),
    ];
  });
}

function jsonSchemaProblems(source: YamlSource, path: string[], schema: Record<string, unknown>): PipelineProblem[] {
  const compiled = compileJsonSchema(schema);
  if (compiled.ok) return [];
  return [
    source.problem(
      "BAD_JSON_SCHEMA",
      path,
      `${dotted(path)}this is not a valid JSON Schema: ${compiled.message.slice(0, 300)}`,
      "Correct it (draft 7, 2019-09 or 2020-12)",
    ),
  ];
}
