import { isPaused, stillWaits, type RunState } from "../domain/index.ts";
import type { ProjectionWrite, RunRow } from "../store/index.ts";

/** The run as `ps` shows it. */
export function rowOf(state: RunState): ProjectionWrite {
  let completed = 0;
  for (const { status } of state.steps.values()) if (status === "completed") completed += 1;
  const row: RunRow = {
    runId: state.runId,
    project: state.project,
    pipeline: state.pipeline.name,
    branch: state.branch,
    base: state.base,
    status: state.outcome ?? waitsFor(state) ?? "running",
    stepsTotal: state.steps.size,
    stepsDone: completed,
    startedAt: state.startedAt,
    endedAt: state.endedAt,
    waitedForPeopleMs: state.waitedForPeopleMs,
    waitsForPeopleSince: state.waitsForPeopleSince,
  };
  return { kind: "run", row };
}

function isAsked(state: RunState, path: string): boolean {
  const item = state.inbox.get(state.steps.get(path)?.item ?? "");
  return item !== undefined && stillWaits(item);
}

/** What it waits for when nothing else goes on. */
function waitsFor(state: RunState): "budget" | "waiting" | undefined {
  if (state.halted) return "budget";
  if (state.queued.size + state.running.size + state.accepted.size + state.merged.size > 0) return undefined;
  for (const path of state.ready) {
    const s = state.steps.get(path);
    if (s && !isPaused(state, s)) return undefined;
  }
  // What is answered waits for nobody any more, though nobody may be there to go on with it.
  if ([...state.asking].some((path) => isAsked(state, path))) return "waiting";
  return state.pauses.size > 0 ? "budget" : undefined;
}
