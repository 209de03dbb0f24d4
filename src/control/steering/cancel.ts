import { runStream, type RunState } from "../../domain/index.ts";
import { loadRun } from "../../setup/find-run.ts";
import type { Store } from "../../store/index.ts";
import { request, type Asking } from "../request.ts";

/** Asks whoever drives the run to end it for good. Answers the run as it was then. */
export async function requestCancel(asking: Asking, runId: string, reason?: string): Promise<RunState> {
  const { state } = await request(asking, runId, (s) =>
    s.status === "finished" || s.cancel ? undefined : { type: "CancelRequested", data: reason === undefined ? {} : { reason } },
  );
  return state;
}

/** The run once it is over; `undefined` when it was not until `signal`. */
export async function whenOver(store: Store, runId: string, signal: AbortSignal): Promise<RunState | undefined> {
  try {
    for await (const { event } of store.follow(runStream(runId), { after: 0, signal }))
      if (event.type === "RunFinished") return await loadRun(store, runId);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}
