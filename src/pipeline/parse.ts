import { dotted, inOrder, MAX_YAML_BYTES, readTextFile, readYaml, shapeProblems, describeValue, type YamlSource } from "../config/index.ts";
import { buildPipeline, buildStep, type CheckedStep } from "./build.ts";
import { envAt, envProblems } from "./env-check.ts";
import { needsProblems } from "./needs-check.ts";
import type { ParsedPipeline, PipelineProblem } from "./problem.ts";
import { PipelineShape } from "./shape.ts";
import { checkStep } from "./step-check.ts";
import { pipelineWords } from "./vocabulary.ts";

const MOST_STEPS = 10_000;
const EXAMPLE = "Begin like this: `steps: { fix: { prompt: ..., gates: [npm test] } }`";

/**
 * A pipeline from YAML text, with all defaults filled in, or everything that is wrong with it. `file` is how problems
 * call it. Never throws.
 */
export function parsePipeline(text: string, file: string): ParsedPipeline {
  const reading = readYaml(text, file);
  if (!reading.ok) return { ok: false, problems: reading.problems };
  const { source } = reading;
  const problems: PipelineProblem[] = [...reading.problems];
  const { value } = source;
  if (value === null) {
    problems.push(source.problem("PIPELINE_EMPTY", [], "The file is empty", EXAMPLE));
    return { ok: false, problems };
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    problems.push(source.problem("NOT_A_MAP", [], `Expected a map with \`steps\`, found ${describeValue(value)}`, EXAMPLE));
    return { ok: false, problems };
  }
  const top = PipelineShape.safeParse(value);
  if (!top.success) problems.push(...shapeProblems(source, [], top.error));
  problems.push(...envProblems(source, ["env"]), ...expressionProblems(source));

  const steps = stepsOf(source);
  if (!steps.ok) return { ok: false, problems: inOrder([...problems, ...steps.problems]) };
  problems.push(...needsProblems(source, steps.ids));
  const env = envAt(source, ["env"]);
  const checked: CheckedStep[] = [];
  for (const id of steps.ids) {
    const { problems: found, step } = checkStep(source, id, env);
    problems.push(...found);
    if (step) checked.push(step);
  }
  if (problems.length > 0 || !top.success) return { ok: false, problems: inOrder(problems) };
  const fields = top.data;
  return {
    ok: true,
    pipeline: buildPipeline(
      fields,
      file,
      checked.map((step) => buildStep(step, fields)),
    ),
  };
}

/** Reads and parses a file of at most 1 MiB. A missing file, a folder or a binary file is a problem like any other. */
export function loadPipeline(path: string): ParsedPipeline {
  const file = readTextFile(path, MAX_YAML_BYTES);
  return file.ok ? parsePipeline(file.text, path) : { ok: false, problems: [file.problem] };
}

function stepsOf(source: YamlSource): { ok: true; ids: string[] } | { ok: false; problems: PipelineProblem[] } {
  const no = (problem: PipelineProblem): { ok: false; problems: PipelineProblem[] } => ({ ok: false, problems: [problem] });
  const steps = source.valueAt(["steps"]);
  if (steps === undefined) {
    const isMisspelt = source.keys([]).some((key) => pipelineWords.synonyms?.[key] === "steps");
    return isMisspelt ? { ok: false, problems: [] } : no(source.problem("NO_STEPS", [], "The pipeline has no `steps`", EXAMPLE));
  }
  if (steps === null)
    return no(source.problem("NO_STEPS", ["steps"], "`steps` is empty", "Add a step: an id, and under it `prompt:` or `command:`"));
  if (typeof steps !== "object" || Array.isArray(steps)) {
    const hint = "Steps are a map by id: `fix:` on a line of its own, and its keys indented below";
    return no(source.problem("WRONG_TYPE", ["steps"], `steps: expected a map of steps, found ${describeValue(steps)}`, hint));
  }
  const ids = source.keys(["steps"]);
  if (ids.length === 0)
    return no(source.problem("NO_STEPS", ["steps"], "`steps` is empty", "Add a step: an id, and under it `prompt:` or `command:`"));
  if (ids.length > MOST_STEPS) {
    return no(
      source.problem(
        "TOO_MANY_STEPS",
        ["steps"],
        `The pipeline has ${ids.length} steps; at most ${MOST_STEPS} are allowed`,
        "Split it into several pipelines",
        "key",
      ),
    );
  }
  return { ok: true, ids };
}

function expressionProblems(source: YamlSource): PipelineProblem[] {
  return [...source.find("${{")].map(({ path, place }) => ({
    code: "NOT_SUPPORTED_YET" as const,
    file: source.file,
    ...place,
    message: `${dotted(path)}expressions (\`\${{ }}\`) are not supported yet`,
    hint: "Write the value itself",
  }));
}
