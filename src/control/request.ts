import { runStream, type Clock, type RunEvent, type RunState } from "../domain/index.ts";
import { loadRun } from "../setup/find-run.ts";
import { StoreError, type Store } from "../store/index.ts";
import type { Mask } from "./masks.ts";

/** Where a request is written, and who asks. */
export interface Asking {
  store: Store;
  clock: Clock;
  /** For the journal: `cli:anna`. */
  actor: string;
  /** What is known as a secret where a run is: texts of people may hold one, and the journal must not. */
  maskOf(run: Pick<RunState, "project" | "pipeline">): Promise<Mask>;
}

/**
 * Appends a request to a run's stream, whoever else writes there: on a conflict the state is read again, and `wanted` asked again whether it
 * still makes sense. Answers the state it was appended to, with `undefined` for the event when there was nothing to ask for.
 */
export async function request(
  asking: Asking,
  runId: string,
  wanted: (state: RunState) => RunEvent | undefined,
): Promise<{ state: RunState; event: RunEvent | undefined }> {
  const { store, clock, actor } = asking;
  for (;;) {
    const state = await loadRun(store, runId);
    const said = wanted(state);
    if (!said) return { state, event: said };
    const event = await hidden(asking, state, said);
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

/** What people write in their own words. */
const WORDS = ["because", "reason", "text"];

async function hidden(asking: Asking, state: RunState, event: RunEvent): Promise<RunEvent> {
  const words = Object.entries(event.data).filter(
    (entry): entry is [string, string] => WORDS.includes(entry[0]) && typeof entry[1] === "string",
  );
  if (words.length === 0) return event;
  const mask = await asking.maskOf(state);
  return { ...event, data: { ...event.data, ...Object.fromEntries(words.map(([key, text]) => [key, mask(text)])) } } as RunEvent;
}

/** Who it is for those who read: `anna` of `cli:anna` and of `web:anna`. Of a program the whole stays, so that nobody takes it for a person. */
export const nameOf = (actor: string): string => actor.replace(/^(cli|web):/, "");
