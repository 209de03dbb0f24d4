import { setTimeout as sleep } from "node:timers/promises";
import { answerItem, EngineError } from "../../src/engine/index.ts";
import type { Store } from "../../src/store/index.ts";

/** The people of a run, in a process of their own: each item is answered once, as soon as it is seen. */
export async function answerPeople(store: Store, runId: string, isOver: () => boolean): Promise<string[]> {
  const answered = new Set<string>();
  while (!isOver()) {
    for (const row of await store.listInbox({ runId })) {
      if (answered.has(row.item)) continue;
      answered.add(row.item);
      const said =
        row.kind === "question" ? ({ verdict: "answer", text: "blue" } as const) : ({ verdict: "approve", text: undefined } as const);
      try {
        await answerItem(store, { now: () => Date.now() }, { item: row.item, by: "ann", ...said }, "cli:ann");
      } catch (error) {
        // The attempt that asked is over by now.
        if (!(error instanceof EngineError && error.code === "ITEM_CLOSED")) throw error;
      }
    }
    await sleep(100);
  }
  return [...answered];
}
