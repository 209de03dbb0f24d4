import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Scene } from "./cli.testkit.ts";

/** The slow step waits for a file that the test writes: nothing here depends on how fast the machine is. */
const pipeline = (folder: string): string => `steps:
  first: { command: "echo 1 > first.txt; echo ran >> ${folder}/first.log", outputs: [first.txt] }
  slow: { needs: first, command: "echo ran >> ${folder}/slow.log; until [ -f ${folder}/go ]; do sleep 0.05; done; echo 2 > slow.txt", outputs: [slow.txt], retry: 1 }
  last: { needs: slow, command: "echo 3 > last.txt", outputs: [last.txt] }
`;

async function slowRun(): Promise<{ scene: Scene; go: () => void; times: (step: string) => number } & AsyncDisposable> {
  const scene = new Scene();
  scene.write({ "p.yaml": pipeline(scene.folder) });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "pipeline");
  return {
    scene,
    go: () => scene.write({ "../go": "" }),
    times: (step) =>
      existsSync(join(scene.folder, `${step}.log`))
        ? readFileSync(join(scene.folder, `${step}.log`), "utf8")
            .trim()
            .split("\n").length
        : 0,
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
}

test("Ctrl-C once: what runs may end, nothing new starts, exit 130; resume goes on from there", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  // The same key arrives twice at once under npm and under our launcher: it counts once.
  running.child.kill("SIGINT");
  await sleep(20);
  running.child.kill("SIGINT");
  await running.said("finishing 1 attempt (up to 30 s); Ctrl-C again to stop now");
  run.go();
  const { code, stderr, stdout } = await running.ended;
  expect(code, stderr).toBe(130);
  expect(stderr).toMatch(/slow merged/);
  expect(stderr).not.toMatch(/last#1 started/);
  expect(stderr).toMatch(/Stopped\. Go on with: .* resume 01/);
  expect(stdout).toMatch(/stopped: 2 of 3 steps/);
  expect((await scene.run(["ps"])).stdout).toMatch(/stopped \(resume\) +2\/3/);
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect([run.times("first"), run.times("slow")]).toEqual([1, 1]);
});

test("Ctrl-C twice: the attempt is ended and recorded as interrupted, which costs it no try", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  running.child.kill("SIGINT");
  await running.said("Ctrl-C again to stop now");
  await sleep(400);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.ended;
  expect(code, stderr).toBe(130);
  expect(stderr).toMatch(/slow#1 interrupted: stopped by the user/);
  run.go();
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/slow#2 accepted/);
});

test("after kill -9, what runs goes on under its keeper; resume takes it up, does nothing twice, and finishes", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml", "--slots", "1"]);
  await running.said("slow#1 started");
  while (run.times("slow") === 0) await sleep(20);
  running.child.kill("SIGKILL");
  await running.ended;
  expect((await scene.run(["ps"])).stdout).toMatch(/stopped \(resume\) +1\/3/);
  run.go();
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/slow#1 goes on: its agent never stopped/);
  expect([run.times("first"), run.times("slow")]).toEqual([1, 1]);
  const { values } = await scene.json("show");
  const steps = values[0]?.["steps"] as { id: string; attempts: { phase: string }[] }[];
  expect(steps.map((s) => s.attempts.map((a) => a.phase))).toEqual([["merged"], ["merged"], ["merged"]]);
  expect(existsSync(join(scene.home, "keepers")) ? readdirSync(join(scene.home, "keepers")) : []).toEqual([]);
});

test("a command that ended while nobody was there is taken up at its end", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml", "--slots", "1"]);
  await running.said("slow#1 started");
  while (run.times("slow") === 0) await sleep(20);
  running.child.kill("SIGKILL");
  await running.ended;
  run.go();
  await sleep(1500);
  const resumed = await scene.run(["resume"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/slow#1 goes on/);
  expect([run.times("first"), run.times("slow")]).toEqual([1, 1]);
});

test("a run that somebody drives is not resumed by another; it is cancelled from there, and ends", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  expect(await scene.run(["resume"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/is being driven by process \d+/) as string });
  const followed = scene.start(["logs", "-f"]);
  const cancelled = await scene.run(["cancel", "--reason", "enough"]);
  expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringMatching(/^run \w+ cancelled\n$/) as string });
  const { code, stderr } = await running.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/cancel requested: enough/);
  expect(await followed.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/: cancelled/) as string });
  expect((await scene.run(["ps"])).stdout).toMatch(/cancelled/);
});

test("a run whose process died is cancelled without it: cancel ends it itself", async () => {
  await using run = await slowRun();
  const { scene } = run;
  const running = scene.start(["run", "p.yaml"]);
  await running.said("slow#1 started");
  running.child.kill("SIGKILL");
  await running.ended;
  expect(await scene.run(["cancel"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/cancelled/) as string });
  expect((await scene.run(["resume"])).code).toBe(1);
});
