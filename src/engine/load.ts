import { emptyRun, fold, runStream, type RunState } from "../domain/index.ts";
import type { Store } from "../store/index.ts";
import { EngineError } from "./errors.ts";

/** The run as its journal says. */
export async function loadRun(store: Store, runId: string): Promise<RunState> {
  const events = await store.read(runStream(runId));
  if (events.length === 0) throw unknown(runId);
  return fold(events, emptyRun());
}

/** Throws RUN_UNKNOWN. Looks at one event only: reading a long journal is most of what taking a run up costs. */
export async function requireRun(store: Store, runId: string): Promise<void> {
  if ((await store.read(runStream(runId), { limit: 1 })).length === 0) throw unknown(runId);
}

/** What the run's branch holds at least: its last merged commit, or the base. A branch that somebody deleted meanwhile is made again there. */
export function lastMerged(state: RunState): string {
  const merged = [...state.steps.values()].flatMap((s) => s.attempts).filter((a) => a.phase === "merged");
  const built = new Set(merged.filter((a) => a.mergeOnto !== a.mergeCommit).map((a) => a.mergeOnto));
  return merged.find((a) => a.mergeCommit !== undefined && !built.has(a.mergeCommit))?.mergeCommit ?? state.base;
}

const unknown = (runId: string): EngineError =>
  new EngineError("RUN_UNKNOWN", `there is no run ${runId}`, "`stepfall ps --all` lists the runs.");
