import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scene, threeSteps, type Ended } from "./cli.testkit.ts";

describe("a pipeline of commands, from run to clean", () => {
  let scene: Scene;
  let ran: Ended;
  let runId: string;
  beforeAll(async () => {
    scene = new Scene({ "three.yaml": threeSteps });
    scene.write({ "dirty.txt": "not committed\n" });
    ran = await scene.run(["run", "three.yaml"]);
    runId = /run (01[0-9a-z]{24})/.exec(ran.stderr)?.[1] ?? "";
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test("run ends well: progress on stderr, the summary on stdout", () => {
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/1 uncommitted change is left out; --include-dirty takes it/);
    expect(ran.stderr).toMatch(/^\d\d:\d\d:\d\d a#1 started by shell$/m);
    expect(ran.stderr).toMatch(/^\d\d:\d\d:\d\d both#1 accepted \(passed: test -f a.txt\)$/m);
    expect(ran.stderr).toMatch(/ a merged$/m);
    expect(ran.stdout).toMatch(/three succeeded in .*: 3 of 3 steps completed/);
    expect(ran.stdout).toMatch(/ a\.txt \| 1 \+\n b\.txt \| 1 \+\n 2 files changed, 2 insertions\(\+\), 0 deletions\(-\)/);
    expect(ran.stdout).toMatch(/Bill: no model was called\./);
    // eslint-disable-next-line no-control-regex
    expect(ran.stdout + ran.stderr).not.toMatch(/\u001b/);
  });

  test("the commands it proposes can be copied as they stand", async () => {
    const proposed = /Next:\n((?: {2}.*\n?)+)/.exec(ran.stdout)?.[1]?.trim().split("\n") ?? [];
    expect(proposed).toHaveLength(3);
    expect(proposed.map((c) => /bin\/stepfall\.js'? (\w+)/.exec(c)?.[1])).toEqual(["show", "logs", "merge"]);
  });

  test("the checkout is as it was; the work is on the run's branch", () => {
    expect(scene.git("status", "--porcelain")).toBe("?? dirty.txt");
    expect(scene.git("log", "--format=%s", "main")).toBe("start");
    expect(scene.git("show", `stepfall/${runId}:a.txt`)).toBe("a");
    expect(existsSync(join(scene.home, "workspaces", runId)) ? readdirSync(join(scene.home, "workspaces", runId)) : []).toEqual([]);
  });

  test("what is merged keeps no snapshot of its own", () => {
    expect(scene.git("for-each-ref", `refs/stepfall/${runId}`)).toBe("");
  });

  test("what was given at the start is kept for a resume, readable by the owner only", () => {
    const file = join(scene.home, "runs", runId, "options.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ version: 1, scripted: [] });
  });

  test("ps lists it; elsewhere only --all does", async () => {
    const { stdout } = await scene.run(["ps"]);
    expect(stdout).toMatch(new RegExp(`^${runId}  three +succeeded +3/3 `, "m"));
    const other = new Scene();
    await using _ = other;
    expect((await scene.run(["ps"], { cwd: other.project })).stdout).toBe("");
    expect((await scene.run(["ps", "--all"], { cwd: other.project })).stdout).toContain(runId);
  });

  test("show tells steps, attempts, gates and commits, as text and as data", async () => {
    const { stdout } = await scene.run(["show"]);
    expect(stdout).toMatch(/✓ both \(command\) completed; needs a, b\n {2}#1 accepted by shell.* in .* in the queue/);
    expect(stdout).toMatch(/gate test -f a.txt: passed/);
    const { values } = await scene.json("show", runId.slice(0, 20));
    expect(values[0]).toMatchObject({
      version: 1,
      runId,
      status: "succeeded",
      project: scene.project,
      diff: { files: [{ path: "a.txt", added: 1 }, { path: "b.txt" }] },
      bill: { rows: [], total: { calls: 0, microUsd: 0 } },
    });
    const steps = values[0]?.["steps"] as { id: string; attempts: { phase: string; commit?: string }[] }[];
    expect(steps.map((s) => [s.id, s.attempts.map((a) => a.phase)])).toEqual([
      ["a", ["merged"]],
      ["b", ["merged"]],
      ["both", ["accepted"]],
    ]);
  });

  test("logs shows what the steps printed; a run is found by the end of its id", async () => {
    expect((await scene.run(["logs", runId.slice(-6), "--step", "a"])).stdout).toMatch(/^\d\d:\d\d:\d\d a#1 \| hello from a\n$/);
    expect(await scene.run(["logs", "--step", "c"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/STEP_UNKNOWN: run \w+ has no step c\.\nIts steps: a, b, both\./) as string,
    });
    const { values } = await scene.json("logs", "-f");
    expect(values[0]).toMatchObject({ version: 1, type: "line", step: "a", n: 1, role: "agent", stream: "stdout", text: "hello from a" });
    expect(values.at(-1)).toMatchObject({ type: "result", status: "succeeded" });
  });

  test("a finished run is not resumed, and not cancelled any more", async () => {
    expect(await scene.run(["resume"])).toMatchObject({ code: 0, stderr: expect.stringMatching(/is over: it succeeded/) as string });
    expect((await scene.run(["cancel"])).stdout).toMatch(/was over already: it succeeded/);
  });

  test("clean asks for a yes where nobody can be asked, and keeps a branch that was not merged", async () => {
    expect(await scene.run(["clean"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/NEEDS_CONFIRMATION/) as string });
    expect((await scene.run(["clean", "--yes"])).stdout).toMatch(/its branch stays: it was not merged/);
    expect((await scene.run(["clean", "--all"])).stderr).toMatch(
      /was cleaned already\. Not merged, so kept \(--force deletes\): stepfall\//,
    );
    expect(scene.git("branch", "--list", "stepfall/*")).toContain(runId);
    expect(readdirSync(join(scene.home, "runs", runId))).toEqual(["options.json"]);
  });

  test("merge brings the work into the branch that is checked out, once", async () => {
    expect(await scene.run(["merge"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^merged stepfall\/\w+ into main/) as string,
    });
    expect(readFileSync(join(scene.project, "b.txt"), "utf8")).toBe("b\n");
    expect((await scene.run(["merge"])).stdout).toMatch(/is in main already/);
    expect((await scene.json("show")).values[0]).toMatchObject({ mergedInto: { into: "main" } });
    expect(scene.git("log", "--merges", "--format=%s", "-1")).toBe(`Merge run ${runId} (three)`);
  });

  test("clean deletes the branch once it is merged; the journal stays", async () => {
    expect((await scene.json("clean", "--all", "--yes")).values[0]).toEqual({ version: 1, cleaned: [{ runId, branch: "deleted" }] });
    expect(scene.git("for-each-ref", "refs/stepfall", "refs/heads/stepfall")).toBe("");
    expect((await scene.run(["show"])).stdout).toMatch(/succeeded/);
  });

  test("after that every command says that it was cleaned, and nothing is cleaned twice", async () => {
    expect((await scene.run(["show"])).stdout).toMatch(/transcripts +gone: the run was cleaned/);
    expect((await scene.run(["logs"])).stderr).toMatch(/was cleaned: its transcripts are gone/);
    expect(await scene.run(["merge"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/BRANCH_GONE: run \w+ was cleaned: its branch .* is gone\.\nIt was merged into main before/) as string,
    });
    expect(await scene.run(["clean", "--all"])).toMatchObject({ code: 0, stderr: `Run ${runId} was cleaned already.\n` });
  });
});

test("where nothing was changed no merge is proposed; a failed command is called one, its last output shown; ps counts what completed", async () => {
  await using scene = new Scene({ "p.yaml": "steps:\n  a: { command: 'echo so; echo the reason; exit 3', readonly: true, retry: 1 }\n" });
  scene.write({ "dirty.txt": "x\n" });
  const { code, stdout, stderr } = await scene.run(["run", "p.yaml"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/a#1 failed \(command\): exit 3\. Its last output: the reason\n/);
  expect(stdout).not.toMatch(/ merge /);
  expect((await scene.run(["ps"])).stdout).toMatch(/ failed +0\/1 /);
  const merged = await scene.run(["merge"]);
  expect(merged).toMatchObject({ code: 2, stderr: expect.stringMatching(/: run \w+ failed: 0 of 1 step completed\.\n/) as string });
});

test("uncommitted changes are told of once a run begins; settings that are not committed, when they are what is missing", async () => {
  await using scene = new Scene({ "p.yaml": 'steps:\n  a: { prompt: do it, gates: ["true"] }\n' });
  scene.write({ "stepfall.yaml": "agents: { coder: { executor: shell, command: cat } }\n" });
  const refused = await scene.run(["run", "p.yaml"]);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/STEP_NOT_ROUTABLE.*\nstepfall\.yaml is not committed: commit it/) as string,
  });
  expect(refused.stderr).not.toMatch(/left out/);
});

test("on no branch, a merge is refused as a request that cannot be (exit 2)", async () => {
  await using scene = new Scene({ "three.yaml": threeSteps });
  expect((await scene.run(["run", "three.yaml"])).code).toBe(0);
  scene.git("checkout", "--quiet", "--detach");
  expect(await scene.run(["merge"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^MERGE_DETACHED/) as string });
});

test("a run that fails: exit 1, the failed step first with its evidence, and its branch merges only with --partial", async () => {
  await using scene = new Scene({
    "p.yaml": `steps:
  good: { command: "echo x > x.txt", outputs: [x.txt] }
  bad: { command: "echo trying > y.txt", gates: ["echo the reason; exit 3"], retry: 2 }
  after: { command: "true", needs: bad, readonly: true }
`,
  });
  const { code, stdout } = await scene.run(["run", "p.yaml"]);
  expect(code).toBe(1);
  expect(stdout.trimStart()).toMatch(/^✗ bad failed/);
  expect(stdout).toMatch(/exits 3\n {4}the reason\n/);
  expect(stdout).toMatch(/Its transcripts: .*bad-2\.\*\.ndjson/);
  expect(stdout).toMatch(/- after +skipped/);
  expect(stdout).toMatch(/A run that ended is not resumed/);
  expect(await scene.run(["resume"])).toMatchObject({ code: 1 });
  expect(await scene.run(["merge"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/RUN_UNFINISHED: .*1 of 3 steps/) as string });
  expect((await scene.run(["merge", "--partial"])).code).toBe(0);
  expect(existsSync(join(scene.project, "x.txt"))).toBe(true);
});

test("run --json is NDJSON on stdout that ends with the result", async () => {
  await using scene = new Scene({ "three.yaml": threeSteps });
  const { code, values } = await scene.json("run", "three.yaml");
  expect(code).toBe(0);
  expect(new Set(values.map((v) => v["version"]))).toEqual(new Set([1]));
  expect(new Set(values.map((v) => v["type"]))).toEqual(new Set(["event", "progress", "result"]));
  expect(values.filter((v) => (v["event"] as { type: string } | undefined)?.type === "StepCompleted")).toHaveLength(3);
  expect(values.at(-1)).toMatchObject({ type: "result", exitCode: 0, status: "succeeded", pipeline: "three" });
});

test("settings come from the base commit; --include-dirty takes the uncommitted ones and the files along; --merge merges", async () => {
  await using scene = new Scene({
    "p.yaml": "steps:\n  a: { command: 'cp new.txt out.txt', outputs: [out.txt] }\n",
    "stepfall.yaml": "slots: 1\n",
  });
  scene.write({ "stepfall.yaml": "slotz: 1\n", "new.txt": "new\n" });
  expect((await scene.run(["run", "p.yaml"])).code).toBe(1);
  expect((await scene.run(["run", "p.yaml", "--include-dirty"])).stderr).toMatch(/UNKNOWN_KEY.*slotz/);
  scene.write({ "stepfall.yaml": "slots: 2\n" });
  const taken = await scene.run(["run", "p.yaml", "--include-dirty"]);
  expect(taken.code, taken.stderr).toBe(0);
  expect(taken.stderr).toMatch(/2 uncommitted changes taken along/);
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "now committed");
  const merged = await scene.run(["run", "p.yaml", "--merge"]);
  expect(merged.stdout).toMatch(/merged stepfall\/\w+ into main/);
  expect(existsSync(join(scene.project, "out.txt"))).toBe(true);
});

test("a reader that goes away does no harm", async () => {
  await using scene = new Scene({ "three.yaml": threeSteps });
  const running = scene.start(["run", "three.yaml", "--json"]);
  running.child.stdout?.destroy();
  expect(await running.ended).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/EPIPE|INTERNAL/) as string });
  expect((await scene.run(["ps"])).stdout).toMatch(/succeeded/);
});

test("the home can be named by --home, before or after the command", async () => {
  await using scene = new Scene({ "three.yaml": threeSteps });
  const home = join(scene.folder, "elsewhere with space");
  mkdirSync(home);
  const { code, stdout } = await scene.run(["run", "three.yaml", "--home", home]);
  expect(code).toBe(0);
  expect(scene.homeExists).toBe(false);
  expect(stdout).toContain(`--home '${home}' show`);
  expect((await scene.run(["--home", home, "ps"])).stdout).toMatch(/succeeded/);
});

test("init writes settings and a pipeline with the project's own test command, and never overwrites", async () => {
  await using scene = new Scene({ "package.json": JSON.stringify({ scripts: { test: "node --test" } }) });
  const first = await scene.json("init");
  expect(first.values[0]).toMatchObject({ written: ["stepfall.yaml", "pipeline.yaml"], kept: [], testCommand: "npm test" });
  const text = readFileSync(join(scene.project, "pipeline.yaml"), "utf8");
  expect(text).toContain("- npm test");
  scene.write({ "stepfall.yaml": "slots: 7\n" });
  expect((await scene.run(["init"])).stdout).toMatch(/left .*stepfall\.yaml as it is/);
  expect(readFileSync(join(scene.project, "stepfall.yaml"), "utf8")).toBe("slots: 7\n");
  scene.git("add", "--all");
  scene.git("commit", "--quiet", "--message", "init");
  // What it wrote is a pipeline that only lacks an agent.
  expect((await scene.run(["run", "pipeline.yaml"])).stderr).toMatch(/STEP_NOT_ROUTABLE: no agent is registered/);
});

test("a pipeline in TypeScript runs from its file; a module that is none is refused before anything starts", async () => {
  const library = new URL("../index.ts", import.meta.url).href;
  await using scene = new Scene({
    "p.ts": `import { pipeline } from ${JSON.stringify(library)};
export default pipeline("typed", {}, ({ command }) => {
  const a: { id: string } = command("a", { command: "echo a > a.txt", outputs: ["a.txt"] });
  command("b", { command: "cat a.txt > b.txt", outputs: ["b.txt"], needs: [a.id] });
});
`,
    "no.ts": "export default 1;\n",
    "broken.ts": "export default (;\n",
  });
  const ended = await scene.run(["run", "p.ts"]);
  expect(ended.code, ended.stderr).toBe(0);
  const branch = scene.git("branch", "--list", "stepfall/*", "--format=%(refname:short)");
  expect(scene.git("show", `${branch}:b.txt`)).toBe("a");
  for (const file of ["no.ts", "broken.ts", "absent.ts"]) {
    const refused = await scene.run(["run", file]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^PIPELINE_MODULE: /);
    expect(refused.stderr).not.toMatch(/\n {4}at /);
  }
});

test("sixteen phases, one after the other, with two steps each: every phase sees what the ones before it left", async () => {
  const phases = Array.from({ length: 16 }, (_, i) => {
    const needs = i === 0 ? "" : `needs: [a${i - 1}, b${i - 1}], `;
    const before = i === 0 ? "true" : `test -f a${i - 1}.txt && test -f b${i - 1}.txt`;
    return ["a", "b"]
      .map((lane) => `  ${lane}${i}: { ${needs}command: "${before} && echo ${i} > ${lane}${i}.txt", outputs: [${lane}${i}.txt] }\n`)
      .join("");
  });
  await using scene = new Scene({ "phases.yaml": `steps:\n${phases.join("")}` });
  const ended = await scene.run(["run", "phases.yaml"]);
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stdout).toContain("32 of 32 steps completed");
});
