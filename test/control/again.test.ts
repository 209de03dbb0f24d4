import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import type { Control } from "../../src/control/index.ts";
import { keptBy, type Kept } from "../acceptance/run-journal.testkit.ts";
import { controlOf } from "./controlling.testkit.ts";

vi.setConfig({ testTimeout: 180_000 });

const files = {
  "stepfall.yaml": "agents: { scribe: { executor: shell, command: cat > told.txt } }\nbudget: { run: 1 }\n",
  "p.yaml": `name: ship
steps:
  write: { command: "cat README.md > out.txt; echo \${{ inputs.what }} >> out.txt", outputs: [out.txt] }
inputs: { what: {}, more: { default: 7 } }
`,
  "typed.mjs": "export default { toYaml: () => 'name: typed\\nsteps: { a: { command: \"true\", readonly: true } }' };\n",
};

async function over(control: Control, runId: string): Promise<string> {
  const waited = await control.wait(runId, { timeoutMs: 60_000 });
  if (waited.kind !== "over") throw new Error(`it is ${waited.kind}`);
  return waited.outcome;
}

const started = ({ of }: Kept) => of("RunStarted")[0]?.data;

test("a run with inputs and a budget of its own is started again from what is committed now, though its file is gone", async () => {
  await using scene = new Scene(files);
  expect((await scene.run(["run", "p.yaml", "--with", "what=it", "--budget", "2.5", "--slots", "2"])).code).toBe(0);
  const first = await keptBy(scene);
  scene.write({ "README.md": "# Changed\n" });
  scene.git("rm", "--quiet", "p.yaml");
  scene.git("commit", "--quiet", "--all", "--message", "changed");
  await using control = await controlOf(scene);
  const { runId } = await control.again("web:ann", first.runId);
  expect(runId).not.toBe(first.runId);
  expect(await over(control, runId)).toBe("succeeded");
  const again = await keptBy(scene);
  expect(again.events[0]).toMatchObject({ actor: "web:ann", event: { type: "RunStarted" } });
  expect(started(again)).toMatchObject({
    pipeline: started(first)?.pipeline,
    inputs: { what: "it", more: 7 },
    base: scene.git("rev-parse", "HEAD"),
  });
  expect(started(again)?.pipeline.budget).toBe(2_500_000);
  expect(scene.git("show", `stepfall/${runId}:out.txt`)).toBe("# Changed\nit");
});

test("on the command line it is `run --again`, for runs that `do` made too, cleaned ones also; what contradicts it is refused", async () => {
  await using scene = new Scene(files);
  expect((await scene.run(["do", "write it down", "--gate", "true", "--agent", "scribe", "--slots", "3"])).code).toBe(0);
  const first = await keptBy(scene);
  expect((await scene.run(["clean", first.runId, "--yes", "--force"])).code).toBe(0);
  const again = await scene.run(["run", "--again", first.runId.slice(-6)]);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining(`as run ${first.runId} had it`)]);
  const second = await keptBy(scene);
  expect(second.runId).not.toBe(first.runId);
  expect(started(second)?.pipeline).toEqual(started(first)?.pipeline);
  // What it was started with is known also of a run that was cleaned.
  expect(JSON.parse(readFileSync(join(scene.home, "runs", second.runId, "options.json"), "utf8"))).toMatchObject({
    agent: "scribe",
    slots: "3",
  });
  expect((await scene.run(["run", "typed.mjs"])).code).toBe(0);
  rmSync(join(scene.project, "typed.mjs"));
  expect((await scene.run(["run", "--again", (await keptBy(scene)).runId])).code).toBe(0);
  for (const words of [["p.yaml", "--again", first.runId], ["--again", first.runId, "--with", "what=x"], []])
    expect(await scene.run(["run", ...words])).toMatchObject({ code: 2, stderr: expect.stringContaining("USAGE: ") });
});

test("a run that is not over is not started a second time", async () => {
  await using scene = new Scene({ "p.yaml": "steps: { ok: { approve: { title: Ship it? } } }\n" });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(3);
  const { runId } = await keptBy(scene);
  await using control = await controlOf(scene);
  await expect(control.again("web:ann", runId)).rejects.toMatchObject({ code: "RUN_UNFINISHED", hint: expect.stringContaining("resume") });
  expect((await scene.run(["run", "--again", runId])).stderr).toMatch(/RUN_UNFINISHED: .*\n.*stepfall resume/);
  expect(await control.cancel("web:ann", runId)).toMatchObject({ outcome: "cancelled" });
  const again = await control.again("web:ann", runId);
  for (let left = 200; left > 0 && (await control.inbox()).length === 0; left--) await sleep(50);
  expect(await control.inbox()).toMatchObject([{ runId: again.runId, title: "Ship it?" }]);
  await control.cancel("web:ann", again.runId);
});
