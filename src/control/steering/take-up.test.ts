import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatHolder } from "../../fleet/index.ts";
import { openSqliteStore } from "../../store/index.ts";
import { openTakeUp } from "./take-up.ts";

test("each death of a driver is named once, that of the process which took the run up too, and one that dies over and over is left to people", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-take-up-"));
  let now = 1_000_000;
  const store = await openSqliteStore({ file: join(folder, "stepfall.db"), clock: { now: () => now } });
  try {
    const row = {
      runId: "r1",
      project: "/p",
      pipeline: "p",
      branch: "b",
      base: "b",
      status: "running",
      stepsTotal: 1,
      stepsDone: 0,
      startedAt: 1,
    } as const;
    await store.commit({ projections: [{ kind: "run", row }] });
    const takeUp = openTakeUp(store, () => now);
    let epoch: number | undefined;
    const dies = async (): Promise<void> => {
      const holder = formatHolder({ host: hostname(), pid: process.pid, startTime: `another process ${epoch}` });
      const taken = await store.acquire({
        key: "run:r1",
        holder,
        until: now + 30_000,
        now,
        ...(epoch === undefined ? {} : { breakEpoch: epoch }),
      });
      if (!taken.ok) throw new Error("somebody has it");
      epoch = taken.lease.epoch;
    };
    const named = async (): Promise<string[]> => takeUp((rows) => Promise.resolve(rows.map(({ runId }) => runId)));
    expect(await named()).toEqual([]);
    for (let i = 0; i < 4; i++) {
      await dies();
      now += 60_000;
      // Whoever was told and could do nothing with it is told again.
      await expect(takeUp(() => Promise.reject(new Error("the store is busy")))).rejects.toThrow("busy");
      expect([await named(), await named()]).toEqual([["r1"], []]);
    }
    await dies();
    expect(await named()).toEqual([]);
    now += 3_600_000;
    expect(await named()).toEqual(["r1"]);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
