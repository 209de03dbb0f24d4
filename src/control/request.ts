import { runStream, type Clock, type RunEvent, type RunState } from "../domain/index.ts";
import { loadRun } from "../setup/find-run.ts";
import { StoreError, type Store } from "../store/index.ts";

/** Where a request is written, and who asks. */
export interface Asking {
  store: Store;
  clock: Clock;
  /** For the journal: `cli:anna`. */
  actor: string;
}

/**
 * Appends a request to a run's stream, whoever else writes there: on a conflict the state is read again, and `wanted` asked again whether it
 * still makes sense. Answers the state it was appended to, with `undefined` for the event when there was nothing to ask for.
 */
export async function request(
  { store, clock, actor }: Asking,
  runId: string,
  wanted: (state: RunState) => RunEvent | undefined,
): Promise<{ state: RunState; event: RunEvent | undefined }> {
  for (;;) {
    const state = await loadRun(store, runId);
    const event = wanted(state);
    if (!event) return { state, event };
    try {
      await store.commit({
        appends: [{ stream: runStream(runId), expected: state.version, events: [{ event, at: clock.now(), actor }] }],
      });
      return { state, event };
    } catch (error) {
      if (!(error instanceof StoreError && (error.code === "STORE_CONFLICT" || error.code === "STORE_BUSY"))) throw error;
    }
  }
}

/** Who it is for those who read: `anna` of `cli:anna` and of `web:anna`. Of a program the whole stays, so that nobody takes it for a person. */
export const nameOf = (actor: string): string => actor.replace(/^(cli|web):/, "");
