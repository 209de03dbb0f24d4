import { expect, test, vi } from "vitest";
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

test("two runs of one pipeline in one home at the same time: each has its own branch, all of its work, and nothing of the other's", async () => {
  await using scene = faultScene(waitingPipeline);
  const both = [scene.start(["run", "p.yaml", "--json"]), scene.start(["run", "p.yaml", "--json"])];
  await until(() => times(scene, "slow") === 2, "both are at it");
  scene.write({ "../go": "" });
  const runs = await Promise.all(both.map((one) => one.ended));
  const ids = runs.map(({ code, stdout, stderr }) => {
    expect(code, stderr).toBe(0);
    return String((JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { runId?: unknown }).runId);
  });
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(filesOf(scene, id)).toEqual(waitingTree);
  await expectDoneOnce(scene, waitingTree);
  await expectNothingLeft(scene);
});

test("three processes resume one run at the same moment: one drives it, the others are told who does, and each step is done once", async () => {
  await using scene = faultScene(waitingPipeline);
  const first = scene.start(["run", "p.yaml"]);
  await first.said("slow#1 started");
  await until(() => times(scene, "slow") === 1, "slow has begun");
  first.child.kill("SIGKILL");
  await first.ended;
  const all = [1, 2, 3].map(() => scene.start(["resume"]));
  let over = 0;
  for (const one of all) void one.ended.then(() => (over += 1));
  await until(() => over === 2, "two are refused");
  scene.write({ "../go": "" });
  const ends = await Promise.all(all.map((one) => one.ended));
  expect(ends.map((e) => e.code).toSorted()).toEqual([0, 1, 1]);
  for (const end of ends) {
    expectSentences(end);
    if (end.code !== 0) expect(end.stderr).toMatch(/driven by/);
  }
  await expectDoneOnce(scene, waitingTree);
  expect([times(scene, "first"), times(scene, "slow")]).toEqual([1, 1]);
  expect((await keptBy(scene)).of("AttemptReattached")).toHaveLength(1);
  await expectNothingLeft(scene);
});
