import { Document, isScalar, Scalar, visit } from "yaml";
import { shown } from "../../config/index.ts";
import type { ImportNote } from "./contract.ts";
import type { PipelineInputs } from "./pipeline-inputs.ts";
import type { Workflow } from "./workflow.ts";

/** GitHub ends a job after six hours. */
const DEFAULT_TIMEOUT = "6h";
const MOST_NOTES_SHOWN = 200;

/** The file, with the notes as comments at its top. */
export function pipelineText(parts: {
  workflow: Workflow;
  file: string;
  inputs: PipelineInputs;
  env: Record<string, string>;
  steps: Record<string, unknown>;
  notes: readonly ImportNote[];
}): string {
  const { workflow, inputs, env, steps } = parts;
  const name = shown((workflow.name ?? "").replaceAll("${{", "$ {{").trim(), 120);
  const document = new Document(
    {
      ...(name === "" ? {} : { name }),
      ...(inputs.inputs.size > 0 ? { inputs: escaped(Object.fromEntries(inputs.inputs)) } : {}),
      ...(inputs.secrets.size > 0 ? { secrets: [...inputs.secrets] } : {}),
      defaults: { timeout: DEFAULT_TIMEOUT },
      ...(Object.keys(env).length > 0 ? { env } : {}),
      steps,
    },
    { aliasDuplicateObjects: false },
  );
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return `${header(parts.file, parts.notes)}\n${document.toString({ lineWidth: 0 })}`;
}

/** GitHub fills in nothing here, so neither must the pipeline. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${{", () => "$${{");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}

function header(file: string, notes: readonly ImportNote[]): string {
  const line = (text: string): string => `# ${shown(text.replace(/\s+/g, " "), 400)}`;
  const kinds = { stops: "fails there", changed: "otherwise", dropped: "left out" };
  return [
    line(`Imported from ${file}.`),
    ...(notes.length === 0 ? [] : [line("Not as in the workflow (line, what, how):")]),
    ...notes.slice(0, MOST_NOTES_SHOWN).map((n) => line(`  ${n.line} ${n.name}: ${kinds[n.effect]}: ${n.message}`)),
    ...(notes.length > MOST_NOTES_SHOWN ? [line(`  ... and ${notes.length - MOST_NOTES_SHOWN} more`)] : []),
    "",
  ].join("\n");
}
