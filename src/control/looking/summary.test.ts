import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunEvent } from "../../domain/index.ts";
import { openSqliteStore, type RunRow } from "../../store/index.ts";
import { summarizeRuns } from "./summary.ts";

test("one run whose journal cannot be read does not hide the others", async () => {
  const home = mkdtempSync(join(tmpdir(), "stepfall-summary-"));
  const store = await openSqliteStore({ file: join(home, "stepfall.db"), clock: { now: () => 1 } });
  try {
    const about = { project: "/p", pipeline: "p", branch: "b", base: "0", stepsTotal: 1, stepsDone: 0, startedAt: 1 };
    const rows: RunRow[] = [
      { runId: "bad1", status: "running", ...about },
      { runId: "bad2", status: "failed", endedAt: 5, ...about },
      { runId: "good", status: "succeeded", endedAt: 5, waitedForPeopleMs: 2, ...about },
    ];
    const event = { type: "RunStarted", data: { what: "no version of ours wrote" } } as unknown as RunEvent;
    for (const row of rows)
      await store.commit({
        appends: [{ stream: `run:${row.runId}`, expected: 0, events: [{ event, at: 1, actor: "engine" }] }],
        projections: [{ kind: "run", row }],
      });
    const { runs } = await summarizeRuns({ store, home, now: 10 }, await store.runs());
    expect(runs.map(({ runId, waitedForPeopleMs }) => [runId, waitedForPeopleMs]).toSorted()).toEqual([
      ["bad1", 0],
      ["bad2", 0],
      ["good", 2],
    ]);
  } finally {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
});
