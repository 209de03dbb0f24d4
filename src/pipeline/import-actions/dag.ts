import { named, nearest, shown, type YamlSource } from "../../config/index.ts";
import { findCycles } from "../graph.ts";
import type { ActionsDag, ActionsJob, ImportProblem } from "./contract.ts";
import { matrixOf } from "./matrix.ts";
import type { Job, Workflow } from "./workflow.ts";

/** The DAG, or the needs that make none. */
export function dagOf(workflow: Workflow, source: YamlSource): { ok: true; dag: ActionsDag } | { ok: false; problems: ImportProblem[] } {
  const problems = needsProblems(workflow, source);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    dag: {
      jobs: workflow.jobs.map(jobOf),
      edges: workflow.jobs.flatMap((job) => job.needs.map(({ id }) => ({ from: id, to: job.id }))),
    },
  };
}

function jobOf(job: Job): ActionsJob {
  return {
    id: job.id,
    needs: job.needs.map(({ id }) => id),
    ...(job.if ? { if: job.if.value } : {}),
    ...(job.matrix && "shape" in job.matrix ? { matrix: matrixOf(job.matrix.shape, job.failFast, job.maxParallel) } : {}),
    ...(job.uses === undefined ? {} : { uses: job.uses }),
    ...(job.timeoutMinutes === undefined ? {} : { timeoutMinutes: job.timeoutMinutes }),
    ...(job.continueOnError === undefined ? {} : { continueOnError: job.continueOnError }),
    steps: job.steps.length,
    stepIfs: job.steps.filter((step) => step.if !== undefined).length,
  };
}

const MOST_SUGGESTIONS = 100;

function needsProblems(workflow: Workflow, source: YamlSource): ImportProblem[] {
  const problems: ImportProblem[] = [];
  const ids = new Set(workflow.jobs.map((job) => job.id));
  for (const job of workflow.jobs) {
    for (const { id, path } of job.needs) {
      if (id === job.id) problems.push(source.problem("SELF_NEED", path, `${named(id)} needs itself`, "Remove it from `needs`"));
      else if (!ids.has(id)) {
        const near = problems.length < MOST_SUGGESTIONS ? nearest(id, ids) : undefined;
        const hint = near === undefined ? "Name a job of this file" : `Did you mean ${named(near)}?`;
        problems.push(source.problem("UNKNOWN_NEED", path, `${named(job.id)} needs ${named(id)}, which is no job`, hint));
      }
    }
  }
  for (const cycle of findCycles(new Map(workflow.jobs.map((job) => [job.id, job.needs.map(({ id }) => id)])))) {
    const [first = "", second = ""] = cycle;
    const path = workflow.jobs.find((job) => job.id === first)?.needs.find((need) => need.id === second)?.path ?? ["jobs", first];
    const way = cycle.length > 10 ? [...cycle.slice(0, 8), `... ${cycle.length - 9} more ...`, first] : cycle;
    const message = way.map((id) => shown(id, 64)).join(" -> ");
    problems.push(source.problem("PIPELINE_CYCLE", path, message, "GitHub refuses this workflow too: remove one of these needs"));
  }
  return problems;
}
