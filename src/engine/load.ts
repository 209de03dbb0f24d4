import { emptyRun, fold, runStream, type RunState } from "../domain/index.ts";
import type { Store } from "../store/index.ts";
import { EngineError } from "./errors.ts";

/** The run as its journal says. */
export async function loadRun(store: Store, runId: string): Promise<RunState> {
  const events = await store.read(runStream(runId));
  if (events.length === 0) throw new EngineError("RUN_UNKNOWN", `there is no run ${runId}`, "`stepfall ps --all` lists the runs.");
  return fold(events, emptyRun());
}
