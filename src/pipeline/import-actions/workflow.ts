import type { YamlSource } from "../../config/index.ts";
import type { WorkflowScalar } from "./contract.ts";
import { readMatrix, type MatrixShape } from "./matrix.ts";

/** A workflow as far as a pipeline can know it. Whatever has another form than GitHub asks for is read as if it were not there. */
export interface Workflow {
  name: string | undefined;
  /** Under `on.workflow_dispatch.inputs` and `on.workflow_call.inputs`. */
  inputs: WorkflowInput[];
  env: Variable[];
  defaults: StepDefaults;
  /** Keys that say nothing about the DAG or the steps, with their lines. */
  otherKeys: { name: string; line: number }[];
  jobs: Job[];
}

export interface WorkflowInput {
  name: string;
  line: number;
  type: string;
  description: string | undefined;
  isRequired: boolean;
  default: WorkflowScalar | undefined;
  options: string[];
}

export interface Variable {
  name: string;
  value: string;
  line: number;
}

export interface StepDefaults {
  shell: string | undefined;
  workingDirectory: string | undefined;
}

export interface Job {
  id: string;
  line: number;
  needs: { id: string; path: string[] }[];
  if: { value: WorkflowScalar; line: number } | undefined;
  uses: string | undefined;
  /** `because`: there is a `matrix`, and it is none. */
  matrix: { line: number; shape: MatrixShape } | { line: number; because: string } | undefined;
  failFast: WorkflowScalar;
  maxParallel: WorkflowScalar | undefined;
  timeoutMinutes: WorkflowScalar | undefined;
  continueOnError: WorkflowScalar | undefined;
  /** Labels of the machine, as written. */
  runsOn: string[];
  env: Variable[];
  defaults: StepDefaults;
  outputs: Variable[];
  otherKeys: { name: string; line: number }[];
  steps: JobStep[];
}

export interface JobStep {
  /** From 0. */
  index: number;
  line: number;
  id: string | undefined;
  name: string | undefined;
  if: { value: WorkflowScalar; line: number } | undefined;
  run: string | undefined;
  uses: string | undefined;
  with: Variable[];
  env: Variable[];
  shell: string | undefined;
  workingDirectory: string | undefined;
  continueOnError: WorkflowScalar | undefined;
  timeoutMinutes: WorkflowScalar | undefined;
}

type At = readonly string[];

export function readWorkflow(source: YamlSource): Workflow {
  const at: At = [];
  return {
    name: text(source, [...at, "name"]),
    inputs: [...inputsOf(source, ["on", "workflow_dispatch", "inputs"]), ...inputsOf(source, ["on", "workflow_call", "inputs"])].filter(
      (input, i, all) => all.findIndex((other) => other.name === input.name) === i,
    ),
    env: variables(source, ["env"]),
    defaults: defaultsOf(source, ["defaults"]),
    otherKeys: keysBut(source, [], ["name", "run-name", "env", "defaults", "jobs"]),
    jobs: source.keys(["jobs"]).map((id) => jobOf(source, id)),
  };
}

function jobOf(source: YamlSource, id: string): Job {
  const at = ["jobs", id];
  const matrixAt = [...at, "strategy", "matrix"];
  const stepCount = listOf(source, [...at, "steps"]).length;
  return {
    id,
    line: source.place(at, "key").line,
    needs: needsOf(source, [...at, "needs"]),
    if: conditionOf(source, at),
    uses: text(source, [...at, "uses"]),
    matrix: source.has(matrixAt) ? matrixAtLine(source, matrixAt) : undefined,
    failFast: scalar(source, [...at, "strategy", "fail-fast"]) ?? true,
    maxParallel: scalar(source, [...at, "strategy", "max-parallel"]),
    timeoutMinutes: scalar(source, [...at, "timeout-minutes"]),
    continueOnError: scalar(source, [...at, "continue-on-error"]),
    runsOn: labelsOf(source, [...at, "runs-on"]),
    env: variables(source, [...at, "env"]),
    defaults: defaultsOf(source, [...at, "defaults"]),
    outputs: variables(source, [...at, "outputs"]),
    otherKeys: keysBut(source, at, [
      "name",
      "needs",
      "if",
      "uses",
      "with",
      "strategy",
      "timeout-minutes",
      "continue-on-error",
      "runs-on",
      "env",
      "defaults",
      "outputs",
      "steps",
    ]),
    steps: Array.from({ length: stepCount }, (_, index) => stepOf(source, [...at, "steps", String(index)], index)),
  };
}

function stepOf(source: YamlSource, at: At, index: number): JobStep {
  return {
    index,
    line: source.place(at).line,
    id: text(source, [...at, "id"]),
    name: text(source, [...at, "name"]),
    if: conditionOf(source, at),
    run: text(source, [...at, "run"]),
    uses: text(source, [...at, "uses"]),
    with: variables(source, [...at, "with"]),
    env: variables(source, [...at, "env"]),
    shell: text(source, [...at, "shell"]),
    workingDirectory: text(source, [...at, "working-directory"]),
    continueOnError: scalar(source, [...at, "continue-on-error"]),
    timeoutMinutes: scalar(source, [...at, "timeout-minutes"]),
  };
}

function conditionOf(source: YamlSource, at: At): { value: WorkflowScalar; line: number } | undefined {
  const value = scalar(source, [...at, "if"]);
  return value === undefined ? undefined : { value, line: source.place([...at, "if"], "key").line };
}

function matrixAtLine(source: YamlSource, at: At): Job["matrix"] {
  const line = source.place(at, "key").line;
  const matrix = readMatrix(source.valueAt(at));
  return matrix.ok ? { line, shape: matrix.shape } : { line, because: matrix.because };
}

/** `needs: a` and `needs: [a]` mean the same. A job named twice is needed once. */
function needsOf(source: YamlSource, at: At): { id: string; path: string[] }[] {
  const one = text(source, at);
  const all =
    one === undefined
      ? listOf(source, at).map((_, i) => ({ id: text(source, [...at, String(i)]), path: [...at, String(i)] }))
      : [{ id: one, path: [...at] }];
  const seen = new Set<string>();
  return all.flatMap(({ id, path }) => (id === undefined || seen.has(id) ? [] : (seen.add(id), [{ id, path }])));
}

function inputsOf(source: YamlSource, at: At): WorkflowInput[] {
  // `on` is a truth value in YAML 1.1: some tools write it as `true`.
  const there = source.has(at) ? at : ["true", ...at.slice(1)];
  return source.keys(there).map((name) => {
    const input = [...there, name];
    return {
      name,
      line: source.place(input, "key").line,
      type: text(source, [...input, "type"]) ?? "string",
      description: text(source, [...input, "description"]),
      isRequired: source.valueAt([...input, "required"]) === true,
      default: scalar(source, [...input, "default"]),
      options: listOf(source, [...input, "options"]).flatMap((_, i) => text(source, [...input, "options", String(i)]) ?? []),
    };
  });
}

function labelsOf(source: YamlSource, at: At): string[] {
  const one = text(source, at);
  if (one !== undefined) return [one];
  const list = source.has([...at, "labels"]) ? [...at, "labels"] : at;
  const label = text(source, list);
  return label === undefined ? listOf(source, list).flatMap((_, i) => text(source, [...list, String(i)]) ?? []) : [label];
}

const defaultsOf = (source: YamlSource, at: At): StepDefaults => ({
  shell: text(source, [...at, "run", "shell"]),
  workingDirectory: text(source, [...at, "run", "working-directory"]),
});

const variables = (source: YamlSource, at: At): Variable[] =>
  source.keys(at).map((name) => ({
    name,
    value: text(source, [...at, name]) ?? "",
    line: source.place([...at, name], "key").line,
  }));

const keysBut = (source: YamlSource, at: At, known: readonly string[]): { name: string; line: number }[] =>
  source
    .keys(at)
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, line: source.place([...at, name], "key").line }));

const listOf = (source: YamlSource, at: At): unknown[] => {
  const value = source.valueAt(at);
  return Array.isArray(value) ? (value as unknown[]) : [];
};

function scalar(source: YamlSource, at: At): WorkflowScalar | undefined {
  const value = source.valueAt(at);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

/** A scalar as a text, spelt as in the file: `1.10` stays `1.10`. */
function text(source: YamlSource, at: At): string | undefined {
  const value = scalar(source, at);
  return value === undefined || typeof value === "string"
    ? value
    : (source.spelling(at) ?? (typeof value === "object" ? JSON.stringify(value) : String(value)));
}
