import { inOrder, readYaml } from "../../config/index.ts";
import { parsePipeline } from "../parse.ts";
import type { ImportedActions, ImportNote, ImportProblem } from "./contract.ts";
import { dagOf } from "./dag.ts";
import { envValue } from "./fill-template.ts";
import { jobStep } from "./job-step.ts";
import { PipelineInputs } from "./pipeline-inputs.ts";
import { stepIds } from "./step-ids.ts";
import type { NeededJob } from "./to-cel.ts";
import { readWorkflow, type Job, type Variable, type Workflow } from "./workflow.ts";
import { pipelineText } from "./write-pipeline.ts";

/**
 * A GitHub Actions workflow as a pipeline: a command step for each job. `fileName` is how problems and notes call it. The
 * DAG is the workflow's own. What the pipeline cannot do is among the notes, and makes the step that needs it fail with a
 * sentence instead of being left out in silence. Text is compared with its case, where GitHub compares without. Never throws.
 */
export function importActions(yamlText: string, fileName: string): ImportedActions {
  const reading = readYaml(yamlText, fileName);
  if (!reading.ok) return { ok: false, problems: reading.problems };
  const { source } = reading;
  const problems: ImportProblem[] = [...reading.problems];
  const workflow = readWorkflow(source);
  if (workflow.jobs.length === 0) {
    const hint = "A workflow has `jobs:`, and under it each job by its id";
    problems.push(source.problem("NO_JOBS", ["jobs"], "The workflow has no jobs", hint));
  }
  const dag = dagOf(workflow, source);
  if (!dag.ok) problems.push(...dag.problems);
  if (problems.length > 0 || !dag.ok) return { ok: false, problems: inOrder(problems) };
  const { pipeline, notes } = translate(workflow, yamlText, fileName);
  const loaded = parsePipeline(pipeline, fileName);
  return { ok: true, dag: dag.dag, pipeline, notes, unloadable: loaded.ok ? [] : loaded.problems };
}

function translate(workflow: Workflow, yamlText: string, file: string): { pipeline: string; notes: ImportNote[] } {
  const inputs = new PipelineInputs(workflow.inputs);
  const workflowName = workflow.name ?? file;
  const ids = stepIds(workflow.jobs.map((job) => job.id));
  const needed = new Map(workflow.jobs.map((job) => [job.id, neededJob(job, ids.get(job.id) ?? job.id)]));
  const notes: ImportNote[] = workflow.otherKeys.map(({ name, line }) => ({ name, line, effect: "dropped", message: otherKey(name) }));

  const env: Record<string, string> = {};
  const exports: Variable[] = [];
  for (const variable of workflow.env) {
    const at = { name: `env.${variable.name}`, line: variable.line };
    inputs.at = at;
    const scope = { inputs, needs: new Map(), matrix: undefined, allowsSecrets: true, workflowName, jobId: "" };
    const value = envValue(variable, scope);
    if (value.ok) env[variable.name] = value.text;
    else exports.push(variable);
    if (value.ok && value.note !== undefined) notes.push({ ...at, effect: "changed", message: value.note });
  }
  const steps: Record<string, unknown> = {};
  const read = outputsRead(workflow, yamlText);
  for (const job of workflow.jobs) {
    const id = ids.get(job.id) ?? job.id;
    if (id !== job.id) notes.push({ name: `jobs.${job.id}`, line: job.line, effect: "changed", message: `The step is called ${id}` });
    const asJson = read.get(job.id);
    const made = jobStep({
      job,
      workflow,
      file,
      workflowName,
      inputs,
      exports,
      needs: new Map(job.needs.flatMap((need) => [[need.id, needed.get(need.id)] as const]).filter(isKnown)),
      outputs: asJson && job.outputs.length > 0 && !job.matrix ? { file: `.stepfall/outputs/${id}.json`, asJson } : undefined,
    });
    steps[id] = made.step;
    notes.push(...made.notes);
  }
  notes.push(...inputs.notes);
  notes.sort((a, b) => a.line - b.line);
  return { pipeline: pipelineText({ workflow, file, inputs, env, steps, notes }), notes };
}

const isKnown = (entry: readonly [string, NeededJob | undefined]): entry is readonly [string, NeededJob] => entry[1] !== undefined;

const neededJob = (job: Job, step: string): NeededJob => ({
  step,
  outputs: new Set(job.outputs.map(({ name }) => name)),
  isMultiplied: job.matrix !== undefined,
});

/** Jobs whose outputs others read, with the outputs that are read by fromJSON. */
function outputsRead({ jobs }: Workflow, yamlText: string): Map<string, Set<string>> {
  const read = new Map<string, Set<string>>();
  const used = new Set(jobs.flatMap((job) => job.needs.map(({ id }) => id)));
  for (const { id, outputs } of jobs) {
    if (!used.has(id) || outputs.length === 0) continue;
    const asJson = new Set<string>();
    for (const [, job, output] of yamlText.matchAll(/fromjson\(\s*needs\.([\w-]+)\.outputs\.([\w-]+)\s*\)/gi))
      if (job === id && output !== undefined) asJson.add(output);
    read.set(id, asJson);
  }
  return read;
}

function otherKey(name: string): string {
  if (name === "on" || name === "true") return "a pipeline is started by hand, not by events";
  if (name === "concurrency") return "runs are not grouped";
  if (name === "permissions") return "permissions of GitHub's token have no meaning here";
  return `${name} has no meaning here`;
}
