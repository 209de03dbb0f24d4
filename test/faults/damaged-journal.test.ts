import { copyFileSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import {
  expectDoneOnce,
  expectNothingLeft,
  expectSentences,
  faultScene,
  filesOf,
  times,
  until,
  waitingPipeline,
  waitingTree,
} from "./fault-scene.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

const wal = (scene: Scene): string => join(scene.home, "stepfall.db-wal");

/** A run whose engine was killed while its second step works, and whose agent has ended since: nothing of it writes to the journal. */
async function killed(): Promise<Scene> {
  const scene = faultScene(waitingPipeline);
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  await until(() => times(scene, "slow") === 1, "slow has begun");
  running.child.kill("SIGKILL");
  await running.ended;
  scene.write({ "../go": "" });
  return scene;
}

test("garbage behind the last commit of the journal, as of a write that was cut short, is passed over: nothing acknowledged is missing", async () => {
  await using scene = await killed();
  const file = wal(scene);
  const whole = readFileSync(file);
  writeFileSync(file, Buffer.concat([whole, whole.subarray(32, 32 + 3000)]));
  expect((await keptBy(scene)).of("ResultMerged").map((e) => e.data.step)).toEqual(["first"]);
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  await expectDoneOnce(scene, waitingTree);
  expect([times(scene, "first"), times(scene, "slow")]).toEqual([1, 1]);
  await expectNothingLeft(scene);
});

/** The events that are left when only so much of the log is, as a copy tells. */
function readCopy(scene: Scene, walBytes: number): string[] {
  const copy = join(mkdtempSync(join(scene.folder, "copy-")), "stepfall.db");
  copyFileSync(join(scene.home, "stepfall.db"), copy);
  writeFileSync(`${copy}-wal`, readFileSync(wal(scene)).subarray(0, walBytes));
  const db = new DatabaseSync(copy);
  try {
    if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'events'").get()) return [];
    return db
      .prepare("SELECT type FROM events ORDER BY global_seq")
      .all()
      .map((row) => String(row["type"]));
  } finally {
    db.close();
  }
}

const FRAME = 4096 + 24;

test.each([
  ["the merge of its first step", "ResultMerged", 1],
  ["all of its first step, which is done again", "AttemptStarted", 2],
] as const)(
  "a journal that was cut off, which has lost %s, goes on from what is left: the branch ends up as if nothing had happened",
  async (_, lost, begun) => {
    await using scene = await killed();
    const file = wal(scene);
    let size = statSync(file).size;
    while (readCopy(scene, size).includes(lost)) size -= FRAME;
    const left = readCopy(scene, size);
    expect(left).toContain("RunStarted");
    truncateSync(file, size);
    const resumed = await scene.run(["resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expectSentences(resumed);
    const kept = await keptBy(scene);
    expect(filesOf(scene, kept.runId)).toEqual(waitingTree);
    expect(kept.of("StepCompleted").map((e) => e.data.step)).toEqual(["first", "slow", "last"]);
    expect(times(scene, "first")).toBe(begun);
    await expectNothingLeft(scene);
  },
);

test("a journal that is damaged in the middle is not opened with its end missing: it says where, and what to do, and that goes on", async () => {
  await using scene = await killed();
  const file = wal(scene);
  const bytes = readFileSync(file);
  const at = 32 + Math.floor((bytes.length - 32) / FRAME / 2) * FRAME + 1000;
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(file, bytes);
  const refused = await scene.run(["resume"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /STORE_CORRUPT: .*stepfall\.db-wal is damaged at byte \d+: at least \d+ commits behind that cannot be read\./,
  );
  expectSentences(refused);
  const hint = /truncate --size=(\d+) (\S+)/.exec(refused.stderr);
  truncateSync(hint?.[2] ?? "", Number(hint?.[1]));
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(filesOf(scene, (await keptBy(scene)).runId)).toEqual(waitingTree);
  await expectNothingLeft(scene);
});

test("a journal of which nothing is left has no run any more, and says so", async () => {
  await using scene = await killed();
  truncateSync(wal(scene), 0);
  const left = readCopy(scene, 0);
  const resumed = await scene.run(["resume"]);
  expect(left).toEqual([]);
  expect(resumed.stderr).toContain("RUN_UNKNOWN");
  expect(resumed.code, resumed.stderr).toBe(2);
  expectSentences(resumed);
});
