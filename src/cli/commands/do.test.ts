import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../cli.testkit.ts";

const write = (path: string, content: string) => ({ toolCalls: [{ name: "write_file", arguments: { path, content } }] });
const done = { text: "Done." };
const script = {
  models: ["m"],
  rules: [
    {
      when: { lastUser: "The attempt before this one was refused" },
      turns: [write("sum.cjs", "module.exports = (a, b) => a + b\n"), done],
    },
    { when: { user: "Fix the failing test" }, turns: [write("sum.cjs", "module.exports = (a, b) => a * b\n"), done] },
    { when: { user: "Say what sum does" }, turns: [write("docs/sum.md", "It adds.\n"), done] },
    { when: { user: "Change anything" }, turns: [write("any.txt", "x\n"), done] },
  ],
};
const project = {
  "package.json": JSON.stringify({ scripts: { test: "node check.cjs", lint: "eslint --fix ." } }),
  "check.cjs": "process.exit(require('./sum.cjs')(2, 3) === 5 ? 0 : 1)\n",
  "sum.cjs": "module.exports = (a, b) => a - b\n",
  "script.json": JSON.stringify(script),
  "stepfall.yaml": "agents: { coder: { executor: chat, model: x/m } }\nproviders: { x: { script: script.json } }\n",
};

test("one sentence: the project's own test decides, its failing attempt is refused, and the fix is merged into the branch that is checked out", async () => {
  await using scene = new Scene(project);
  const { code, stdout, stderr } = await scene.run(["do", "Fix the failing test", "--merge"]);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /^gates: they decide whether work is accepted, and were not run before\n {2}npm test {2}\(package\.json: scripts\.test\)$/m,
  );
  expect(stderr).toMatch(/^note: package\.json: scripts\.lint was left out: it changes files/m);
  expect(stderr).toMatch(/^other ones: --gate CMD/m);
  expect(stderr).toMatch(/fix-the-failing-test#1 refused by gate npm test/);
  expect(stdout).toMatch(/1 of 1 step completed/);
  expect(readFileSync(join(scene.project, "sum.cjs"), "utf8")).toContain("a + b");
});

test("several at once, and a batch with an order: each has its own gates, and what they make is one branch", async () => {
  await using scene = new Scene(project);
  const described = {
    task: "Say what sum does",
    gates: ["test -s docs/sum.md"],
    outputs: ["docs/sum.md"],
    needs: "fix-the-failing-test",
    id: "docs",
  };
  scene.write({ "tasks.json": JSON.stringify(["Fix the failing test", described]) });
  const { code, values } = await scene.json("do", "Change anything", "--batch", "tasks.json", "--gate", "test -s README.md");
  const result = values.at(-1) as {
    branch: string;
    source: string;
    steps: { id: string; status: string; needs: string[]; attempts: { gates: { name: string }[] }[] }[];
  };
  expect(code, JSON.stringify(values.at(-1))).toBe(0);
  expect(result.source).toBe(join(scene.project, "tasks.json"));
  expect(result.steps.map((s) => [s.id, s.status, s.needs, s.attempts.at(-1)?.gates.map((g) => g.name)])).toEqual([
    ["change-anything", "completed", [], ["test -s README.md"]],
    ["fix-the-failing-test", "completed", [], ["test -s README.md"]],
    ["docs", "completed", ["fix-the-failing-test"], ["test -s docs/sum.md"]],
  ]);
  expect(scene.git("ls-tree", "-r", "--name-only", result.branch)).toMatch(/any\.txt[^]*docs\/sum\.md/);
});

test("--dry-run prints a pipeline that `run` and `validate` take, and starts nothing", async () => {
  await using scene = new Scene(project);
  const { code, stdout } = await scene.run(["do", "Fix ${{ this }}: now", "And that", "--dry-run", "--budget", "0.5", "--setup", "true"]);
  expect(code).toBe(0);
  expect(scene.homeExists).toBe(false);
  expect(scene.git("for-each-ref")).not.toMatch(/stepfall/);
  scene.write({ "made.yaml": stdout });
  expect((await scene.run(["validate", "made.yaml"])).stdout).toBe("made.yaml ok: 2 steps\n");
  const plan = await scene.json("do", "--plan", "Fix it", "--dry-run");
  const text = plan.values[0]?.["pipeline"] as string;
  expect(text).toMatch(/goal: \{.*default: Fix it\}/);
  scene.write({ "plan.yaml": text });
  expect((await scene.run(["validate", "plan.yaml"])).stdout).toBe('plan.yaml ok: 4 steps; input goal (string, default "Fix it")\n');
});

test("the checks are those of the base commit: what is not committed counts with --include-dirty only", async () => {
  await using scene = new Scene({ "README.md": "x\n" });
  scene.write({ Makefile: "test:\n\ttrue\n" });
  const clean = await scene.run(["do", "x", "--dry-run"]);
  expect(clean).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/^NO_GATE: no file of this project says how its tests are run\.\nGive .*--gate/) as string,
  });
  const dirty = await scene.json("do", "x", "--dry-run", "--include-dirty");
  expect(dirty.values[0]).toMatchObject({ gates: [{ command: "make test", from: "Makefile: test" }] });
});

test("without a gate any change is accepted, and it says so before; no change is still none", async () => {
  await using scene = new Scene({ "script.json": project["script.json"], "stepfall.yaml": project["stepfall.yaml"] });
  const { code, stderr } = await scene.run(["do", "Change anything", "--no-gates"]);
  expect(stderr).toMatch(/^no gate: any change at all is accepted, and nothing checks whether it is a good one$/m);
  expect(code, stderr).toBe(0);
});

test("what makes no sense is refused by name before anything is made", async () => {
  await using scene = new Scene(project);
  scene.write({ "bad.json": '[\n  { "tusk": "x" },\n  { "task": "y", "needs": "z" }\n]\n' });
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await scene.run(["do", ...args]);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
    expect(scene.homeExists).toBe(false);
    return stderr;
  };
  expect(await refused()).toMatch(/^USAGE: nothing is to be done/);
  expect(await refused("fix", "the", "test")).toMatch(
    /^USAGE: these are 3 tasks of one word each\.\nPut a task in quotes: stepfall do "fix the test"$/m,
  );
  expect(await refused("x", "--no-gates", "--gate", "true")).toMatch(/exclude each other/);
  expect(await refused("do a", "do b", "--plan")).toMatch(/--plan takes one goal/);
  expect(await refused("--batch", "bad.json")).toMatch(
    /^bad\.json:2:5 UNKNOWN_KEY: .*`tusk` is not a key of a task\. Did you mean `task`\?\n {2}2 \| /,
  );
  expect(await refused("--batch", "none.json")).toMatch(/^none\.json FILE_MISSING/);
  expect(await refused("x", "--gate", "true", "--agent", "nobody")).toMatch(/nobody/);
});
