import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import { keptBy } from "../acceptance/run-journal.testkit.ts";
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

const HOUR = 3_600_000;

/** All programs of the scene see one clock, which the test sets. Keepers take nothing of our environment: theirs goes right. */
function clockOf(scene: Scene): { env: Record<string, string>; jump(ms: number): void } {
  const file = join(scene.folder, "clock");
  const preload = fileURLToPath(new URL("jumping-clock.mjs", import.meta.url));
  return {
    env: { NODE_OPTIONS: `--import=${preload}`, FAULT_CLOCK: file },
    jump: (ms) => {
      writeFileSync(`${file}.new`, String(ms));
      renameSync(`${file}.new`, file);
    },
  };
}

/** No time that a person is shown is negative, or as long as a jump. */
const expectPlainTimes = (text: string): void => {
  expect(text).not.toMatch(/(^|[\s(])-\d+(\.\d+)? ?(ms|s|min|h|d)\b/m);
};

const agent = (): string => `agents: { worker: { executor: shell, command: "sh work.sh" } }\n`;
const agentPipeline = (folder: string): string =>
  waitingPipeline(folder).replace(
    /slow: \{ needs: first, command: .*$/m,
    "slow: { needs: first, prompt: work, agent: worker, outputs: [slow.txt], retry: 1 }",
  );
const workScript = (folder: string): string =>
  `echo ran >> ${folder}/slow.log; while [ -d ${folder} ] && [ ! -f ${folder}/go ]; do sleep 0.05; done; echo 2 > slow.txt\n`;

test("the clock jumps five hours on and six back while an agent works: it is neither stuck nor late, its lease is not stolen from the living engine, and it is done once", async () => {
  await using scene = faultScene(agentPipeline, agent);
  scene.write({ "work.sh": workScript(scene.folder) });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "work");
  const { env, jump } = clockOf(scene);
  const running = scene.start(["run", "p.yaml"], { env });
  await running.said("slow#1 started");
  await until(() => times(scene, "slow") === 1, "slow has begun");
  jump(5 * HOUR);
  // At once: the engine has not had the time to move its leases.
  const refused = await scene.run(["resume"], { env });
  expect(refused.code, refused.stderr).toBe(1);
  expect(refused.stderr).toMatch(/driven by/);
  // Long enough for a look at how the agent is.
  await sleep(4000);
  const shown = await scene.run(["show"], { env });
  expectPlainTimes(shown.stdout + (await scene.run(["ps"], { env })).stdout);
  jump(-HOUR);
  await sleep(4000);
  const back = await scene.run(["show"], { env });
  expectPlainTimes(back.stdout);
  scene.write({ "../go": "" });
  const ended = await running.ended;
  expect(ended.code, ended.stderr + ended.stdout).toBe(0);
  expectSentences(ended);
  expectPlainTimes(ended.stdout + ended.stderr);
  await expectDoneOnce(scene, [...waitingTree, "stepfall.yaml", "work.sh"].toSorted());
  const kept = await keptBy(scene);
  expect(kept.of("AttemptReattached")).toEqual([]);
  expect(kept.of("AttemptStarted").map((e) => e.data.step)).toEqual(["first", "slow", "last"]);
  expect(times(scene, "slow")).toBe(1);
  await expectNothingLeft(scene);
});

test("an approval that expires in two hours does so soon after the clock has jumped past that, and not before", async () => {
  await using scene = faultScene(
    () => `steps:
  ok: { approve: { title: "Go on?", expires: 2h, on-expiry: approve } }
  after: { needs: ok, command: "echo 1 > after.txt", outputs: [after.txt] }
`,
  );
  const { env, jump } = clockOf(scene);
  const running = scene.start(["run", "p.yaml", "--wait"], { env });
  await running.said(/ok.*(waits|asks|approv)/);
  await sleep(1000);
  jump(2.5 * HOUR);
  const ended = await Promise.race([running.ended, sleep(40_000, undefined)]);
  expect(ended?.code, ended?.stderr).toBe(0);
  expectPlainTimes(ended?.stdout + (ended?.stderr ?? ""));
  await expectNothingLeft(scene);
});
