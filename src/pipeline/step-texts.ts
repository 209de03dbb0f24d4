import type { Gate, Step } from "../domain/index.ts";

/** What a text of a step is for: it decides how a value is put into it. */
export type TextPlace = "text" | "command" | "env" | "glob";

/** `where`: the field, as people call it, such as `gates.0.command`. */
export type VisitText = (text: string, place: TextPlace, where: string) => string;

/** The step with every text that may hold `${{ }}` replaced. Of a group: its `env` only, see group-values.ts for what its body holds. */
export function mapTexts(step: Step, visit: VisitText): Step {
  const list = (texts: readonly string[], place: TextPlace, where: string): string[] =>
    texts.map((text, i) => visit(text, place, `${where}.${i}`));
  const { json } = step.outputs;
  const common = {
    env: Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, visit(text, "env", `env.${name}`)])),
    outputs: {
      files: list(step.outputs.files, "glob", "outputs"),
      ...(json ? { json: { ...json, file: visit(json.file, "glob", "outputs.json.file") } } : {}),
    },
    gates: step.gates.map((gate, i) => mapGate(gate, `gates.${i}`, visit)),
    setup: list(step.setup, "command", "setup"),
    ...(step.teardown ? { teardown: list(step.teardown, "command", "teardown") } : {}),
    touches: list(step.touches, "glob", "touches"),
  };
  switch (step.kind) {
    case "agent":
      return { ...step, ...common, prompt: visit(step.prompt, "text", "prompt") };
    case "command":
      return { ...step, ...common, command: visit(step.command, "command", "command") };
    case "approve":
      return {
        ...step,
        ...common,
        title: visit(step.title, "text", "approve.title"),
        ...(step.detail === undefined ? {} : { detail: visit(step.detail, "text", "approve.detail") }),
      };
    case "ask":
      return {
        ...step,
        ...common,
        question: visit(step.question, "text", "ask.question"),
        choices: list(step.choices, "text", "ask.choices"),
        ...(step.fallback ? { fallback: { ...step.fallback, answer: visit(step.fallback.answer, "text", "ask.default") } } : {}),
      };
    case "group":
      return { ...step, env: common.env };
    default:
      step satisfies never;
      return step;
  }
}

function mapGate(gate: Gate, where: string, visit: VisitText): Gate {
  const name = visit(gate.name, "text", `${where}.name`);
  const globs = (list: readonly string[], key: string): string[] => list.map((glob, i) => visit(glob, "glob", `${where}.${key}.${i}`));
  const maybe = <K extends string>(field: K, list: readonly string[] | undefined, key: string): Partial<Record<K, string[]>> =>
    list === undefined ? {} : ({ [field]: globs(list, key) } as Record<K, string[]>);
  switch (gate.kind) {
    case "command":
      return { ...gate, name, command: visit(gate.command, "command", `${where}.command`) };
    case "files":
      return { ...gate, name, files: globs(gate.files, "files") };
    case "diff":
      return { ...gate, name, ...maybe("allowed", gate.allowed, "diff.allow"), ...maybe("forbidden", gate.forbidden, "diff.forbid") };
    case "coverage":
      return { ...gate, name, allowed: globs(gate.allowed, "coverage.allow") };
    case "schema":
      return { ...gate, name, files: globs(gate.files, "schema.files") };
    case "regression":
      return {
        ...gate,
        name,
        command: visit(gate.command, "command", `${where}.regression.command`),
        ...maybe("reportFiles", gate.reportFiles, "regression.report"),
      };
    case "syntax":
      return { ...gate, name, ...maybe("files", gate.files, "syntax.files"), except: globs(gate.except, "syntax.except") };
    case "judge":
      return {
        ...gate,
        name,
        criteria: gate.criteria.map((c, i) => ({ ...c, text: visit(c.text, "text", `${where}.judge.rubric.${i}`) })),
      };
    default:
      return gate satisfies never;
  }
}

/** Every text in a value of YAML, keys too. */
export function mapValue(value: unknown, visit: (text: string) => unknown): unknown {
  if (typeof value === "string") return visit(value);
  if (Array.isArray(value)) return value.map((part) => mapValue(part, visit));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mapValue(part, visit)]));
  return value;
}
