import { looksLikeSecretName } from "../../config/index.ts";
import type { ImportNote } from "./contract.ts";
import { envValue } from "./fill-template.ts";
import { jobCondition } from "./job-condition.ts";
import { jobScript } from "./job-script.ts";
import { matrixKeys } from "./matrix-keys.ts";
import { identifier, type PipelineInputs } from "./pipeline-inputs.ts";
import { toCel, type CelScope, type NeededJob } from "./to-cel.ts";
import type { Job, Variable, Workflow } from "./workflow.ts";

export interface JobStepRequest {
  job: Job;
  workflow: Workflow;
  file: string;
  workflowName: string;
  inputs: PipelineInputs;
  /** Steps of the jobs it needs, by job. */
  needs: ReadonlyMap<string, NeededJob>;
  /** Variables of the workflow that only a command can compute. */
  exports: readonly Variable[];
  outputs: { file: string; asJson: ReadonlySet<string> } | undefined;
}

/** What GitHub sets for every script; those a job's scripts mention are set here too. */
const GITHUB_VARIABLES =
  /\bGITHUB_(REF|REF_NAME|REF_TYPE|SHA|REPOSITORY|REPOSITORY_OWNER|ACTOR|EVENT_NAME|RUN_ID|RUN_NUMBER|RUN_ATTEMPT|HEAD_REF|BASE_REF|SERVER_URL|API_URL|WORKFLOW|JOB)\b/g;
const LONGEST_MINUTES = 14 * 24 * 60;

/** A job as a step of a pipeline file, and what it could not keep. */
export function jobStep(request: JobStepRequest): { step: Record<string, unknown>; notes: ImportNote[] } {
  const { job, inputs } = request;
  const at = { name: `jobs.${job.id}`, line: job.line };
  const notes: ImportNote[] = [];
  const stops: string[] = [];
  const stop = (name: string, line: number, because: string): void => {
    notes.push({ name, line, effect: "stops", message: because });
    stops.push(`${name} (line ${line}): ${because}`);
  };
  inputs.at = at;
  const scope: CelScope = {
    inputs,
    needs: request.needs,
    matrix: undefined,
    allowsSecrets: false,
    workflowName: request.workflowName,
    jobId: job.id,
  };
  const condition = jobCondition(job, scope);
  if (!condition.ok) stop(`${at.name}.if`, job.if?.line ?? job.line, condition.because);
  else if (condition.condition.note !== undefined)
    notes.push({ name: `${at.name}.if`, line: job.if?.line ?? job.line, effect: "changed", message: condition.condition.note });
  if (job.uses !== undefined)
    stop(`${at.name}.uses`, job.line, `the reusable workflow ${job.uses} is not supported; import it too, and call it with \`pipeline:\``);
  else if (job.steps.length === 0) stop(at.name, job.line, "it has no steps");
  for (const key of job.otherKeys) {
    if (key.name === "container" || key.name === "services")
      stop(`${at.name}.${key.name}`, key.line, `${key.name} is not supported; start containers in a command`);
    else notes.push({ name: `${at.name}.${key.name}`, line: key.line, effect: "dropped", message: `${key.name} has no meaning here` });
  }
  const matrix = matrixKeys(job, scope);
  notes.push(...matrix.notes);
  for (const because of matrix.stops) stop(`${at.name}.strategy.matrix`, job.matrix?.line ?? job.line, because);

  const env: Record<string, string> = {};
  const inside: CelScope = { ...scope, matrix: matrix.variable, allowsSecrets: true };
  const exports = [...request.exports];
  for (const variable of job.env) {
    const value = envValue(variable, inside);
    if (value.ok) env[variable.name] = value.text;
    else exports.push(variable);
    if (value.ok && value.note !== undefined)
      notes.push({ name: `${at.name}.env.${variable.name}`, line: variable.line, effect: "changed", message: value.note });
  }
  const { variable, variables } = liftedVariables(request);
  const script = jobScript({
    job,
    file: request.file,
    defaults: request.workflow.defaults,
    cel: inside,
    variable,
    stops,
    exports,
    outputs: request.outputs,
  });
  notes.push(...script.notes);
  Object.assign(env, Object.fromEntries(variables));
  for (const [name, key] of new Set([...script.command.matchAll(GITHUB_VARIABLES)].map((m) => [m[0], m[1] ?? ""] as const))) {
    if (env[name] !== undefined || request.workflow.env.some((v) => v.name === name)) continue;
    const value = toCel({ kind: "path", root: "github", keys: [key.toLowerCase()] }, inside);
    if (value.ok) env[name] = `\${{ ${value.cel} }}`;
  }
  const when = condition.ok ? condition.condition : {};
  const step = {
    ...(job.needs.length > 0 ? { needs: job.needs.map(({ id }) => request.needs.get(id)?.step ?? id) } : {}),
    ...(when.when === undefined ? {} : { [when.when]: true }),
    ...(when.cel === undefined ? {} : { if: when.cel }),
    ...matrix.keys,
    ...mayFail(job, notes),
    ...timeout(job, notes),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(request.outputs
      ? { outputs: { files: [request.outputs.file], json: { file: request.outputs.file, schema: { type: "object" } } } }
      : { readonly: true }),
    command: script.command,
  };
  return { step, notes };
}

/** Variables that carry values of expressions into a script, by their name. */
function liftedVariables({ job, workflow }: JobStepRequest): {
  variable: (cel: string, hint: string) => string;
  variables: Map<string, string>;
} {
  const variables = new Map<string, string>();
  const names = new Map<string, string>();
  const taken = new Set([...workflow.env, ...job.env, ...job.steps.flatMap((step) => step.env)].map(({ name }) => name));
  const variable = (cel: string, hint: string): string => {
    const known = names.get(cel);
    if (known !== undefined) return known;
    const plain = identifier(hint);
    const base = looksLikeSecretName(plain) && !cel.startsWith("secrets.") ? `${plain}_value` : plain;
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    names.set(cel, name);
    variables.set(name, `\${{ ${cel} }}`);
    return name;
  };
  return { variable, variables };
}

function mayFail(job: Job, notes: ImportNote[]): { "may-fail"?: true } {
  const written = job.continueOnError;
  if (typeof written === "string" && written !== "")
    notes.push({
      name: `jobs.${job.id}.continue-on-error`,
      line: job.line,
      effect: "changed",
      message: `continue-on-error: ${written} is an expression; here its failure counts`,
    });
  return written === true ? { "may-fail": true } : {};
}

function timeout(job: Job, notes: ImportNote[]): { timeout?: string } {
  const minutes = job.timeoutMinutes;
  if (minutes === undefined) return {};
  const at = { name: `jobs.${job.id}.timeout-minutes`, line: job.line };
  if (typeof minutes !== "number" || !(minutes > 0)) {
    notes.push({
      ...at,
      effect: "changed",
      message: `timeout-minutes: ${JSON.stringify(minutes)} is no number; the default of 6 hours holds`,
    });
    return {};
  }
  if (minutes > LONGEST_MINUTES) notes.push({ ...at, effect: "changed", message: "the longest timeout is 14 days" });
  return { timeout: `${Number(Math.max(0.01, Math.min(minutes, LONGEST_MINUTES)).toFixed(2))}m` };
}
