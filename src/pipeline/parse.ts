import { inOrder, MAX_YAML_BYTES, readTextFile, readYaml, shapeProblems, describeValue, type YamlSource } from "../config/index.ts";
import type { Pipeline } from "../domain/index.ts";
import { envAt, envProblems } from "./env-check.ts";
import { checkText, type Visible } from "./expression-check.ts";
import { inputProblems, inputsOf } from "./inputs-check.ts";
import { nestedFromFile, nestedInText, type ReadText } from "./nested.ts";
import type { ParsedPipeline, PipelineProblem } from "./problem.ts";
import { isMap, type Names } from "./reading.ts";
import { PipelineShape, type PipelineFields } from "./shape.ts";
import { EXAMPLE, readSteps } from "./steps.ts";
import { textsIn } from "./text-places.ts";
import { tierProblems } from "./tier-check.ts";

/**
 * A pipeline from YAML text, with all defaults filled in, or everything that is wrong with it. `file` is how problems
 * call it. Never throws. A text has no place on disk: `pipeline: ./other.yaml` is refused, see `loadPipeline`. `tiers`: those of its project;
 * without them a tier may have any name.
 */
export function parsePipeline(text: string, file: string, { tiers }: { tiers?: readonly string[] } = {}): ParsedPipeline {
  return answer(readerFor(tiers)(text, file, nestedInText(), 0, false));
}

/**
 * Reads and parses a file of at most 1 MiB, and the files it nests, which must lie in `project` (default: the nearest folder above with
 * a `.git` or `stepfall.yaml`). A missing file, a folder or a binary file is a problem like any other. Problems of nested
 * files name these, as a path from where `path` begins.
 */
export function loadPipeline(path: string, options: { project?: string; tiers?: readonly string[] } = {}): ParsedPipeline {
  const file = readTextFile(path, MAX_YAML_BYTES);
  if (!file.ok) return { ok: false, problems: [file.problem] };
  const read = readerFor(options.tiers);
  return answer(read(file.text, path, nestedFromFile(path, read, options.project), 0, false));
}

const answer = ({ problems, read }: ReturnType<ReadText>): ParsedPipeline =>
  read && problems.length === 0 ? { ok: true, pipeline: read.pipeline } : { ok: false, problems: inOrder(problems) };

const readerFor =
  (tiers: readonly string[] | undefined): ReadText =>
  (text, file, nested, depth, isRepeated) => {
    const reading = readYaml(text, file);
    if (!reading.ok) return { problems: reading.problems };
    const { source } = reading;
    const problems: PipelineProblem[] = [...reading.problems];
    const { value } = source;
    if (value === null) return { problems: [...problems, source.problem("PIPELINE_EMPTY", [], "The file is empty", EXAMPLE)] };
    if (!isMap(value)) {
      const message = `Expected a map with \`steps\`, found ${describeValue(value)}`;
      return { problems: [...problems, source.problem("NOT_A_MAP", [], message, EXAMPLE)] };
    }
    const top = PipelineShape.safeParse(value);
    if (!top.success) problems.push(...shapeProblems(source, [], top.error));
    const fields: PipelineFields = top.success ? top.data : {};
    const inputs = inputsOf(fields);
    if (inputs) problems.push(...inputProblems(source, inputs));
    problems.push(...envProblems(source, ["env"]));

    const declared = source.valueAt(["secrets"]);
    const names: Names = {
      inputs: new Set(source.keys(["inputs"])),
      secrets: new Set(Array.isArray(declared) ? declared.filter((s): s is string => typeof s === "string") : []),
      locals: new Set(isRepeated ? ["round"] : []),
    };
    const env = envAt(source, ["env"]);
    const steps = readSteps({ source, file: fields, env, names, nested, depth }, ["steps"]);
    problems.push(...steps.problems, ...topExpressions(source, names), ...(tiers ? tierProblems(source, tiers) : []));
    if (problems.length > 0 || !steps.steps || !top.success) return { problems };
    return { problems, read: { pipeline: pipelineOf(fields, file, steps.steps, inputs), file: fields, env, names } };
  };

function pipelineOf(fields: PipelineFields, file: string, steps: Pipeline["steps"], inputs: ReturnType<typeof inputsOf>): Pipeline {
  const { name, description, budget, outputs } = fields;
  // A run is asked for all secrets at once, those of nested files too.
  const secrets = [...new Set([...(fields.secrets ?? []), ...secretsBelow(steps)])];
  return {
    name: name ?? nameOf(file),
    ...(description === undefined ? {} : { description }),
    ...(budget === undefined ? {} : { budget }),
    ...(inputs === undefined ? {} : { inputs: { ...inputs } }),
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(outputs === undefined ? {} : { outputs }),
    steps,
  };
}

function secretsBelow(steps: Pipeline["steps"]): string[] {
  return steps.flatMap((step): string[] => {
    if (step.kind !== "group") return [];
    if (step.body.kind === "best-of") return [];
    if (step.body.kind === "each") return secretsBelow([step.body.step]);
    return [...(step.body.pipeline.secrets ?? []), ...secretsBelow(step.body.pipeline.steps)];
  });
}

/** `ci/fix.yaml` -> `fix`. */
function nameOf(fileName: string): string {
  const base =
    fileName
      .split(/[\\/]/)
      .at(-1)
      ?.replace(/\.ya?ml$/i, "") ?? "";
  return base === "" ? "pipeline" : base.slice(0, 128);
}

/** Expressions outside steps: those for every step see no step, those of `outputs` see all. */
function topExpressions(source: YamlSource, names: Names): PipelineProblem[] {
  const ids = source.keys(["steps"]);
  const known = new Set(ids);
  const none: Visible = { ...names, steps: [], step: (id) => (known.has(id) ? "elsewhere" : "unknown") };
  const all: Visible = { ...names, steps: ids, step: (id) => (known.has(id) ? "over" : "unknown") };
  const value = source.value as Record<string, unknown>;
  return Object.entries(value).flatMap(([key, part]) => {
    if (key === "steps") return [];
    return [...textsIn(part, [key])].flatMap(({ path, text }) => {
      if (key === "outputs") return checkText(source, path, text, "any", all);
      if (key === "env") return checkText(source, path, text, "env", none);
      const isSetup = key === "defaults" && (path[1] === "setup" || path[1] === "teardown");
      return checkText(source, path, text, isSetup ? "command" : "nowhere", none);
    });
  });
}
