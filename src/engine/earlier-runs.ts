import type { RunState } from "../domain/index.ts";
import { finishedIn, type FinishedAttempt } from "../fleet/index.ts";
import type { Store } from "../store/index.ts";
import { loadRun } from "./load.ts";

/** So many runs are enough to know what is usual, and few enough to be read while attempts start. */
const MOST_RUNS = 5;

/** Attempts of the latest runs of the same pipeline, for comparison. Never rejects: without them there is less to compare with. */
export async function finishedInEarlierRuns(store: Store, { runId, project, pipeline }: RunState): Promise<FinishedAttempt[]> {
  try {
    const rows = (await store.runs({ project })).filter((row) => row.pipeline === pipeline.name && row.runId !== runId);
    const latest = rows.toSorted((a, b) => b.startedAt - a.startedAt).slice(0, MOST_RUNS);
    const states = await Promise.all(latest.map((row) => loadRun(store, row.runId)));
    return states.flatMap(finishedIn);
  } catch {
    return [];
  }
}
