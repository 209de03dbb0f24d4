import type { InboxRow } from "../../store/index.ts";
import type { SeenRun } from "./lookout.ts";
import { stepRows, type StepRow } from "./step-rows.ts";

/** What is seen at one moment. */
export interface Scene {
  runs: readonly SeenRun[];
  items: readonly InboxRow[];
  now: number;
}

/** What can be selected: what waits for people, and below it runs, or the steps of the one that is shown. */
export type Entry =
  | { kind: "item"; key: string; item: InboxRow }
  | { kind: "step"; key: string; runId: string; row: StepRow }
  | { kind: "run"; key: string; run: SeenRun };

export function entriesOf({ runs, items, now }: Scene, shown: string | undefined, unfolded: ReadonlySet<string>): Entry[] {
  const waiting = items
    .filter((item) => shown === undefined || item.runId === shown)
    .map((item): Entry => ({ kind: "item", key: `item ${item.item}`, item }));
  const run = runs.find((r) => r.row.runId === shown);
  if (!run) return [...waiting, ...runs.map((r): Entry => ({ kind: "run", key: `run ${r.row.runId}`, run: r }))];
  const rows = stepRows(run.state, { progress: run.lastLine, live: run.live }, unfolded, now);
  return [...waiting, ...rows.map((row): Entry => ({ kind: "step", key: `step ${row.id}`, runId: run.row.runId, row }))];
}

/** What waits for people at an entry, where that is one thing. */
export function itemAt(entry: Entry | undefined, { items }: Pick<Scene, "items">): InboxRow | undefined {
  if (!entry) return undefined;
  if (entry.kind === "item") return entry.item;
  const here = items.filter((item) =>
    entry.kind === "step" ? item.runId === entry.runId && item.step === entry.row.id : item.runId === entry.run.row.runId,
  );
  return here.length === 1 ? here[0] : undefined;
}
