import { registerHooks } from "node:module";
import { isDeepStrictEqual } from "node:util";
import { importActions, type ActionsDag } from "../src/pipeline/import-actions/index.ts";
import { parsePipeline } from "../src/pipeline/index.ts";
import { median, report, rowsOf } from "./report.ts";

/**
 * Workflows of public repositories, imported: how many give exactly the DAG of the labels, and how many of the pipelines
 * written load. `dag_exact_share` counts a workflow when its jobs, their needs, `if`, reusable workflows, matrices, fail-fast,
 * max-parallel, timeouts, continue-on-error and numbers of steps and of step conditions are all as labelled.
 *
 * The labels count a matrix that has nothing but `include` as one combination; GitHub makes a job of each entry, and so does the import.
 * Here such a matrix is compared by the labels' count; `include_only_matrices` says how many there are.
 *
 * Peer in the same run: GitHub's own parser, @actions/workflow-parser, on what both give, jobs and needs. It stops at the DAG,
 * while the import writes a pipeline too.
 */
interface LabelledJob {
  needs: string[];
  if?: unknown;
  uses?: unknown;
  matrix_combinations?: number | null;
  fail_fast?: unknown;
  max_parallel?: unknown;
  timeout_minutes?: unknown;
  continue_on_error?: unknown;
  steps: number;
  step_ifs: number;
}
interface Row {
  id: string;
  yaml: string;
  n_jobs: number;
  n_edges: number;
  n_if: number;
  n_matrix: number;
  jobs: Record<string, LabelledJob>;
}

// The peer imports its JSON schema in a way that bundlers take and Node does not.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { ...context.importAttributes, type: "json" } } : context),
});
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");

const FILE = "gha_workflows.jsonl";
const ROUNDS = 20;

const needsOf = (dag: ActionsDag): Record<string, string[]> => Object.fromEntries(dag.jobs.map((job) => [job.id, job.needs]));
const labelledNeeds = (row: Row): Record<string, string[]> =>
  Object.fromEntries(Object.entries(row.jobs).map(([id, job]) => [id, job.needs]));
const fileOf = (row: Row): string => row.id.split(":").at(-1) ?? row.id;

/** The DAG in the words of the labels. */
function inLabels(dag: ActionsDag): Omit<Row, "id" | "yaml"> {
  return {
    n_jobs: dag.jobs.length,
    n_edges: dag.edges.length,
    n_if: dag.jobs.filter((job) => job.if !== undefined).length,
    n_matrix: dag.jobs.filter((job) => job.matrix).length,
    jobs: Object.fromEntries(
      dag.jobs.map((job) => [
        job.id,
        {
          needs: job.needs,
          ...(job.if === undefined ? {} : { if: job.if }),
          ...(job.uses === undefined ? {} : { uses: job.uses }),
          ...(job.matrix
            ? {
                matrix_combinations:
                  job.matrix.isIncludeOnly && job.matrix.combinations !== undefined ? 1 : (job.matrix.combinations ?? null),
                fail_fast: job.matrix.failFast,
                max_parallel: job.matrix.maxParallel ?? null,
              }
            : {}),
          ...(job.timeoutMinutes === undefined ? {} : { timeout_minutes: job.timeoutMinutes }),
          ...(job.continueOnError === undefined ? {} : { continue_on_error: job.continueOnError }),
          steps: job.steps,
          step_ifs: job.stepIfs,
        },
      ]),
    ),
  };
}

async function peerNeeds(row: Row): Promise<Record<string, string[]> | undefined> {
  const parsed = parseWorkflow({ name: fileOf(row), content: row.yaml }, new NoOperationTraceWriter());
  if (!parsed.value) return undefined;
  const template = await convertWorkflowTemplate(parsed.context, parsed.value);
  return Object.fromEntries(template.jobs.map((job) => [job.id.value, (job.needs ?? []).map((need) => need.value)]));
}

async function main(): Promise<void> {
  const rows = rowsOf<Row>(FILE);
  if (!rows) return;
  const wrong: string[] = [];
  const unloadable: string[] = [];
  const counts = { exact: 0, needs: 0, loads: 0, peer: 0, includeOnly: 0, notes: 0, stops: 0 };
  for (const row of rows) {
    const imported = importActions(row.yaml, fileOf(row));
    if (!imported.ok) {
      wrong.push(`${row.id}: ${imported.problems.map((p) => `${p.line}:${p.col} ${p.code}`).join(", ")}`);
      continue;
    }
    const { n_jobs, n_edges, n_if, n_matrix, jobs } = row;
    if (isDeepStrictEqual(inLabels(imported.dag), { n_jobs, n_edges, n_if, n_matrix, jobs })) counts.exact++;
    else wrong.push(`${row.id}: not as labelled`);
    if (isDeepStrictEqual(needsOf(imported.dag), labelledNeeds(row))) counts.needs++;
    counts.includeOnly += imported.dag.jobs.filter((job) => job.matrix?.isIncludeOnly).length;
    counts.notes += imported.notes.length;
    counts.stops += imported.notes.filter((note) => note.effect === "stops").length;
    const loaded = parsePipeline(imported.pipeline, fileOf(row));
    if (loaded.ok) counts.loads++;
    else
      unloadable.push(
        `${row.id}: ${loaded.problems
          .slice(0, 3)
          .map((p) => `${p.line}:${p.col} ${p.code} ${p.message}`)
          .join("; ")}`,
      );
    const peer = await peerNeeds(row).catch(() => undefined);
    if (isDeepStrictEqual(peer, labelledNeeds(row))) counts.peer++;
  }
  const ours: number[] = [];
  const peers: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let started = performance.now();
    for (const row of rows) importActions(row.yaml, fileOf(row));
    ours.push((performance.now() - started) / rows.length);
    started = performance.now();
    for (const row of rows) await peerNeeds(row).catch(() => undefined);
    peers.push((performance.now() - started) / rows.length);
  }
  const share = (n: number): number => (rows.length === 0 ? 0 : n / rows.length);
  const [oursMs, peerMs] = [median(ours), median(peers)];
  report(
    "import",
    {
      dag_exact_share: share(counts.exact),
      parse_share: share(counts.loads),
      workflows: rows.length,
      ms_per_workflow: oursMs,
      needs_exact_share: share(counts.needs),
      peer_needs_exact_share: share(counts.peer),
      peer_ms_per_workflow: peerMs,
      time_over_peer: oursMs / peerMs,
      include_only_matrices: counts.includeOnly,
      notes: counts.notes,
      notes_that_stop: counts.stops,
    },
    { dag_exact_share: ">= 1" },
    [
      ...wrong.map((line) => `Wrong: ${line}`),
      ...unloadable.map((line) => `Does not load: ${line}`),
      "Peer: @actions/workflow-parser (jobs and needs only).",
    ],
  );
}

await main();
