import { readYaml, type Path, type YamlSource } from "../../config/index.ts";
import type { AgentStep } from "../../domain/index.ts";
import { parsePipeline } from "../../pipeline/index.ts";
import { literalText, yamlText } from "../pipeline-yaml.ts";
import type { WorkloadProblem } from "./contract.ts";
import { STEP_KEYS } from "./shape.ts";

export type ReadStep = { ok: true; step: AgentStep & { type: string } } | { ok: false; problems: WorkloadProblem[] };

/**
 * A task as a step of a pipeline, checked by whoever checks pipelines: what a gate may be is said in one place. Problems are told where the
 * task stands. `${{ }}` in a task is text.
 */
export function taskStep(source: YamlSource, at: readonly string[], id: string, defaults: Readonly<Record<string, unknown>>): ReadStep {
  const given = source.valueAt(at) as Record<string, unknown>;
  const fields = Object.fromEntries(
    STEP_KEYS.flatMap((key) => {
      const value = given[key] ?? defaults[key];
      return value === undefined ? [] : [[key, literal(value)]];
    }),
  );
  const text = yamlText({ steps: new Map([[id, fields]]) });
  const parsed = parsePipeline(text, source.file);
  if (!parsed.ok) return { ok: false, problems: parsed.problems.map((problem) => replaced(problem, text, source, at)) };
  const [step] = parsed.pipeline.steps;
  const type = step?.kind === "agent" ? step.type : undefined;
  if (step?.kind !== "agent" || type === undefined) throw new TypeError(`task ${id} is no step of an agent`);
  return { ok: true, step: { ...step, type, escalate: false, retry: { attempts: 1, backoffMs: 0 } } };
}

const literal = (value: unknown): unknown => {
  if (typeof value === "string") return literalText(value);
  if (Array.isArray(value)) return value.map(literal);
  // A JSON Schema holds no expressions, whatever its patterns look like.
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === "schema" ? part : literal(part)]));
  return value;
};

/** The same problem, at the place in the workload of what stands at its place in the pipeline. */
function replaced(problem: WorkloadProblem, text: string, source: YamlSource, at: readonly string[]): WorkloadProblem {
  const reading = readYaml(text, source.file);
  const { path, side } = (reading.ok ? partAt(reading.source, problem) : undefined) ?? { path: [], side: "value" as const };
  // Below `steps.ID`.
  const place = source.place([...at, ...path.slice(2)], side);
  const message = problem.message
    .replace(/^steps\./, `${at[0]}.`)
    .replaceAll("A step", "A task")
    .replaceAll("a step", "a task");
  return { ...problem, ...place, message };
}

interface Part {
  path: Path;
  side: "key" | "value";
}

function partAt(source: YamlSource, { line, col }: WorkloadProblem): Part | undefined {
  let found: Part | undefined;
  const look = (path: Path, value: unknown): void => {
    for (const side of ["key", "value"] as const) {
      const place = source.place(path, side);
      if (place.line === line && place.col === col) found = { path, side };
    }
    if (typeof value !== "object" || value === null) return;
    for (const [key, part] of Object.entries(value)) look([...path, key], part);
  };
  look([], source.value);
  return found;
}
