import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { keptBy } from "../../../test/acceptance/run-journal.testkit.ts";
import { launcher, Scene } from "../cli.testkit.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 300_000 });

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 180_000; !holds(); await sleep(20))
    if (performance.now() > end) throw new Error(`not seen: ${what}`);
}

/** An agent whose first tool waits for the file `go`. Only of what it is told meanwhile it knows that it is to write OUT. */
function waitingScene(): Scene & { started: () => boolean; touch: (name: "go" | "second") => void } {
  const scene = new Scene({
    "stepfall.yaml": "agents: { coder: { executor: chat, model: made-up/m } }\nproviders: { made-up: { script: answers.json } }\n",
    "p.yaml": 'steps:\n  fix: { prompt: tidy up, outputs: [OUT], gates: ["grep -q tabs OUT"], retry: { attempts: 1 } }\n',
  });
  const file = (name: string): string => join(scene.folder, name);
  const waitFor = (name: string): string => `until [ -e ${file(name)} ]; do sleep 0.05; done`;
  const run = (command: string) => ({ toolCalls: [{ name: "run_command", arguments: { command } }] });
  const rules = [
    { when: { lastToolResult: "finished" }, answer: { text: "Done." } },
    { when: { anywhere: "and no semicolons" }, answer: run("echo tabs, no semicolons > OUT; echo finished") },
    { when: { anywhere: "but wait for more" }, answer: run(waitFor("second")) },
    { when: { anywhere: "use tabs" }, answer: run("echo tabs > OUT; echo finished") },
    { when: { toolResults: 0 }, answer: run(`touch ${file("started")}; ${waitFor("go")}`) },
    { answer: { text: "Nobody told me anything." } },
  ];
  scene.write({ "answers.json": JSON.stringify({ rules }) });
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "script");
  return Object.assign(scene, { started: () => existsSync(file("started")), touch: (name: string) => writeFileSync(file(name), "") });
}

test("what is typed to attach reaches the agent's next call, is recorded with who said it, and the run ends accepted", async () => {
  await using scene = waitingScene();
  const running = scene.start(["run", "p.yaml"]);
  await until(scene.started, "the agent works");
  const env = { PATH: process.env["PATH"], HOME: scene.folder, STEPFALL_HOME: scene.home, USER: "ann" };
  const child = spawn(process.execPath, [launcher, "attach", "fix"], { cwd: scene.project, env, stdio: ["pipe", "pipe", "pipe"] });
  let [said, printed] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const left = new Promise((resolve) => child.once("close", resolve));
  child.stdin.write("use tabs\n");
  await until(() => said.includes("ann says to fix#1: use tabs"), said);
  child.stdin.end();
  scene.touch("go");
  expect(await left, said).toBe(0);
  expect((await running.ended).code).toBe(0);
  expect(printed).toMatch(/fix#1 \| > run touch/);
  expect(printed).toContain("fix#1 | [ann says] use tabs");
  expect(said).toContain("fix#1 has what was said to it");
  const kept = await keptBy(scene);
  expect(scene.git("show", `stepfall/${kept.runId}:OUT`)).toBe("tabs");
  expect(kept.of("MessageSent").map((e) => e.data)).toEqual([
    { attempt: `${kept.runId}/fix#1`, step: "fix", n: 1, text: "use tabs", by: "ann" },
  ]);
  expect(kept.of("MessageDelivered")).toHaveLength(1);

  expect((await scene.run(["show"])).stdout).toContain("ann said to it:\n       use tabs");

  const late = await scene.run(["attach", "fix", "--message", "hello?"]);
  expect([late.code, late.stdout]).toEqual([1, ""]);
  expect(late.stderr).toContain("MESSAGE_REFUSED");
  expect((await keptBy(scene)).of("MessageSent")).toHaveLength(1);
});

test("an engine that is killed loses no message, also none that was sent while nobody drove the run, and none comes twice", async () => {
  await using scene = waitingScene();
  const first = scene.start(["run", "p.yaml"]);
  await until(scene.started, "the agent works");
  const one = await scene.json("attach", "fix", "--message", "use tabs, but wait for more");
  expect(one.values[0]).toMatchObject({ step: "fix", agent: "coder", n: 1, driven: true });
  first.child.kill("SIGKILL");
  await first.ended;
  const two = await scene.run(["attach", "fix", "--message", "and no semicolons"]);
  expect([two.code, two.stderr]).toEqual([0, expect.stringContaining("Nobody drives the run now.")]);
  const resumed = scene.start(["resume"]);
  await resumed.said("goes on: its agent never stopped");
  scene.touch("go");
  // The engine has handed both on before it hears of the first.
  await resumed.said("fix#1 has what was said to it");
  scene.touch("second");
  const ended = await resumed.ended;
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);
  expect(kept.of("AttemptStarted")).toHaveLength(1);
  expect(kept.of("MessageDelivered").map((e) => e.data.n)).toEqual([1, 2]);
  expect(scene.git("show", `stepfall/${kept.runId}:OUT`)).toBe("tabs, no semicolons");
  const told = (await scene.run(["logs"])).stdout.split("\n").filter((line) => line.includes(" says] "));
  expect(told.map((line) => line.split("] ")[1])).toEqual(["use tabs, but wait for more", "and no semicolons"]);
});
