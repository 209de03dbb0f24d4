import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
import { isThere, keptAgents } from "../crash/processes.ts";
import {
  expectDoneOnce,
  expectNothingLeft,
  expectSentences,
  faultScene,
  times,
  until,
  waitingPipeline,
  waitingTree,
} from "./fault-scene.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

/** Time that is not waited for: all leases of the home run out now. */
export function endLeases(scene: Scene): void {
  const db = new DatabaseSync(join(scene.home, "stepfall.db"), { timeout: 5000 });
  db.exec("UPDATE leases SET until = 1");
  db.close();
}

test("an engine that is stopped keeps its run while its lease holds; then another goes on with its agents, and it wakes up to a sentence, with nothing doubled", async () => {
  await using scene = faultScene(waitingPipeline);
  const first = scene.start(["run", "p.yaml"]);
  await first.said("slow#1 started");
  await until(() => times(scene, "slow") === 1, "slow has begun");
  const { runId } = await keptBy(scene);
  const agent = keptAgents(scene.home, runId).find((a) => a.attempt.endsWith("/slow#1"))?.agent;
  expect(agent).toBeDefined();
  first.child.kill("SIGSTOP");
  const refused = await scene.run(["resume"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(new RegExp(`is being driven by process ${first.child.pid}`));

  endLeases(scene);
  const second = scene.start(["resume"]);
  await second.said("slow#1 goes on: its agent never stopped");
  first.child.kill("SIGCONT");
  const woken = await first.ended;
  expect(woken.code, woken.stderr).toBe(1);
  expect(woken.stderr).toContain("Another process drives this run now.");
  expectSentences(woken);
  await sleep(300);
  expect(agent && isThere(agent), "the agent is the second engine's and lives").toBe(true);
  scene.write({ "../go": "" });
  const ended = await second.ended;
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await expectDoneOnce(scene, waitingTree);
  expect([times(scene, "first"), times(scene, "slow")]).toEqual([1, 1]);
  expect(kept.of("AttemptReattached").map((e) => e.data.step)).toEqual(["slow"]);
  await expectNothingLeft(scene);
});

test("an engine that wakes up when the other has finished its run tells so, and writes nothing", async () => {
  await using scene = faultScene(waitingPipeline);
  const first = scene.start(["run", "p.yaml"]);
  await first.said("slow#1 started");
  await until(() => times(scene, "slow") === 1, "slow has begun");
  first.child.kill("SIGSTOP");
  scene.write({ "../go": "" });
  endLeases(scene);
  const ended = await scene.run(["resume"]);
  expect(ended.code, ended.stderr).toBe(0);
  const { events } = await keptBy(scene);
  first.child.kill("SIGCONT");
  const woken = await first.ended;
  expect(woken.code, woken.stderr).toBe(1);
  expect(woken.stderr).toContain("Another process drives this run now.");
  expectSentences(woken);
  expect((await expectDoneOnce(scene, waitingTree)).events).toEqual(events);
  await expectNothingLeft(scene);
});
