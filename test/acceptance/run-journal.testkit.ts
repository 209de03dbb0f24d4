import { join } from "node:path";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import type { EventData, EventType, Recorded } from "../../src/domain/index.ts";
import { openSqliteStore, type CallRow } from "../../src/store/index.ts";

/** What the store of a scene holds of its latest run. */
export interface Kept {
  runId: string;
  events: Recorded[];
  calls: CallRow[];
  of<T extends EventType>(type: T): { at: number; data: EventData<T> }[];
}

export async function keptBy(scene: Scene): Promise<Kept> {
  const store = await openSqliteStore({ file: join(scene.home, "stepfall.db"), clock: { now: () => Date.now() } });
  try {
    const runs = await store.runs();
    const run = runs.toSorted((a, b) => b.startedAt - a.startedAt)[0];
    if (!run) throw new Error("nothing was run");
    const events = await store.read(`run:${run.runId}`);
    return {
      runId: run.runId,
      events,
      calls: await store.calls({ runId: run.runId }),
      of: <T extends EventType>(type: T) =>
        events.flatMap(({ at, event }) => (event.type === type ? [{ at, data: event.data as EventData<T> }] : [])),
    };
  } finally {
    await store.close();
  }
}
