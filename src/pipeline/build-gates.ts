import type { Gate } from "../domain/index.ts";
import { escapeTemplate, parseTemplate } from "./expression/template.ts";
import type { GateFields } from "./gate-shapes.ts";

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const LONGEST_NAME = 60;

/** Gates with every default filled in, each with a name of its own. */
export function buildGates(fields: readonly GateFields[]): Gate[] {
  const taken = new Set(fields.flatMap((gate) => (typeof gate === "object" && gate.name !== undefined ? [gate.name] : [])));
  const unique = (wanted: string): string => {
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted} (${n})`;
    taken.add(name);
    return name;
  };
  return fields.map((gate) => buildGate(gate, (text) => (typeof gate === "object" ? gate.name : undefined) ?? unique(cut(text))));
}

function buildGate(fields: GateFields, name: (otherwise: string) => string): Gate {
  if (typeof fields === "string") return { kind: "command", name: name(fields), command: fields, timeoutMs: DEFAULT_TIMEOUT_MS };
  if ("command" in fields) {
    const { command, timeout = DEFAULT_TIMEOUT_MS } = fields;
    return { kind: "command", name: name(command), command, timeoutMs: timeout };
  }
  if ("files" in fields) return { kind: "files", name: name(`files: ${fields.files.join(", ")}`), files: fields.files };
  if ("diff" in fields) {
    const { "max-files": mostFiles, "max-lines": mostLines, allow, forbid } = fields.diff;
    return {
      kind: "diff",
      name: name("diff"),
      ...(mostFiles === undefined ? {} : { mostFiles }),
      ...(mostLines === undefined ? {} : { mostLines }),
      ...(allow === undefined ? {} : { allowed: allow }),
      ...(forbid === undefined ? {} : { forbidden: forbid }),
    };
  }
  if ("coverage" in fields) return { kind: "coverage", name: name("coverage"), allowed: fields.coverage.allow ?? [] };
  if ("schema" in fields) {
    const { schema } = fields.schema;
    const files = [fields.schema.files].flat();
    return {
      kind: "schema",
      name: name(`schema: ${files.join(", ")}`),
      files,
      schema: typeof schema === "string" ? { file: schema } : { inline: schema },
    };
  }
  if ("regression" in fields) {
    const { command, format, report } = fields.regression;
    return {
      kind: "regression",
      name: name(`regression: ${command}`),
      command,
      report: format,
      ...(report === undefined ? {} : { reportFiles: report }),
      timeoutMs: fields.timeout ?? DEFAULT_TIMEOUT_MS,
    };
  }
  if ("judge" in fields) {
    const { rubric, judges, stronger, "at-least": passAt } = fields.judge;
    return {
      kind: "judge",
      name: name("judge"),
      criteria: [rubric].flat().map((criterion, i) => {
        const { text, id = String(i + 1), "at-least": own } = typeof criterion === "string" ? { text: criterion } : criterion;
        return { id, text, ...(own === undefined ? {} : { passAt: own }) };
      }),
      ...(passAt === undefined ? {} : { passAt }),
      judges: judges === undefined ? [] : [...new Set([judges].flat())],
      ...(stronger === undefined ? {} : { stronger }),
      timeoutMs: fields.timeout ?? DEFAULT_TIMEOUT_MS,
    };
  }
  const { files, except = [] } = fields.syntax;
  return { kind: "syntax", name: name("syntax"), ...(files === undefined ? {} : { files }), except };
}

/** One line, as short as a name; without what an expression would make of it. */
function cut(text: string): string {
  const parsed = parseTemplate(text);
  const plain = parsed.ok ? parsed.parts.map((part) => (part.kind === "text" ? part.text : "...")).join("") : text;
  const line = plain.trim().split(/\r?\n/)[0] ?? "";
  // An expression that was escaped in the gate is no expression in its name either.
  return escapeTemplate(line.length <= LONGEST_NAME ? line : `${line.slice(0, LONGEST_NAME - 3)}...`);
}
