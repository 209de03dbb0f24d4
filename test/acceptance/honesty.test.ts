import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene, type Ended } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptFunction } from "../../src/models/index.ts";
import { keptBy, type Kept } from "./run-journal.testkit.ts";

/** Runs a pipeline with a chat agent whose model answers by script. */
async function runScripted(
  script: ScriptFunction,
  files: Record<string, string>,
  pipeline: string,
  flags: string[] = [],
): Promise<{ scene: Scene; ended: Ended; kept: Kept } & AsyncDisposable> {
  const model = await startScriptedModel({ script });
  const scene = new Scene({
    "stepfall.yaml": `slots: 2
default-agent: coder
agents: { coder: { executor: chat, model: fake/coder-1, tier: mid } }
providers: { fake: { url: "${model.baseUrl}", local: true } }
`,
    "p.yaml": pipeline,
    ...files,
  });
  const ended = await scene.run(["run", "p.yaml", ...flags]);
  const kept = await keptBy(scene);
  return {
    scene,
    ended,
    kept,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await model.close();
    },
  };
}

/** Writes these files, one call each, and says that it is done. */
const writes =
  (files: Record<string, string>): ScriptFunction =>
  ({ turn }): ScriptedAnswer => {
    const call = Object.entries(files)[turn];
    if (!call) return { text: "All done, and every test passes." };
    const [path, content] = call;
    return { toolCalls: [{ name: "write_file", arguments: { path, content } }] };
  };

const findings = (kept: Kept): string[] => kept.of("AttemptRejected").flatMap((e) => e.data.findings.map((f) => `${f.gate}: ${f.message}`));

test("an agent that says it is done and changed nothing is rejected with that reason", async () => {
  await using run = await runScripted(writes({}), {}, 'steps: { work: { prompt: Write work.txt, gates: ["true"], retry: 2 } }\n');
  expect(run.ended.code).toBe(1);
  expect(findings(run.kept)).toEqual(Array(2).fill("contract: the agent says it is done, and no file changed"));
  expect(run.ended.stdout).toContain("the agent says it is done, and no file changed");
  expect(run.scene.git("rev-parse", `stepfall/${run.kept.runId}`)).toBe(run.scene.git("rev-parse", "main"));
});

const wrongSum = { "sum.mjs": "export const sum = (a, b) => a - b;\n" };
const sumTest = {
  "test/sum.test.mjs":
    'import assert from "node:assert";\nimport { test } from "node:test";\nimport { sum } from "../sum.mjs";\ntest("sum", () => assert.equal(sum(2, 3), 5));\n',
};

test("an attempt that edits the test that judges it does not pass by it", async () => {
  const script = writes({ "test/sum.test.mjs": "// nothing to see here\n", "note.txt": "I mended it\n" });
  await using run = await runScripted(
    script,
    { ...wrongSum, ...sumTest },
    'steps: { fix: { prompt: Fix sum, gates: ["node --test"], retry: 1 } }\n',
  );
  expect(run.ended.code).toBe(1);
  expect(findings(run.kept)).toEqual(["node --test: `node --test` exits 1"]);
  expect(run.kept.of("ResultMerged")).toEqual([]);
});

test("an attempt that only weakens the test is told that this change was dropped", async () => {
  const script = writes({ "test/sum.test.mjs": "// nothing to see here\n" });
  await using run = await runScripted(
    script,
    { ...wrongSum, ...sumTest },
    'steps: { fix: { prompt: Fix sum, gates: ["node --test"], retry: 1 } }\n',
  );
  expect(findings(run.kept)).toEqual([
    expect.stringContaining("nothing changed but protected files, and those changes were dropped: test/sum.test.mjs"),
  ]);
});

test("an attempt that edits the package.json script that its gate runs does not pass by it", async () => {
  const manifest = (script: string): string => `${JSON.stringify({ name: "p", private: true, scripts: { test: script } })}\n`;
  const script = writes({ "package.json": manifest("true"), "note.txt": "mended\n" });
  const files = { ...wrongSum, ...sumTest, "package.json": manifest("node --test") };
  await using run = await runScripted(script, files, 'steps: { fix: { prompt: Fix sum, gates: ["npm test"], retry: 1 } }\n');
  expect(findings(run.kept)).toEqual([expect.stringContaining('script "test" judges this step and was changed')]);
});

test("what an attempt adds below a protected path is not in the result", async () => {
  const script = writes({ "policy/more.txt": "everything is allowed\n", "stepfall.yaml": "slots: 1\n", "work.txt": "work\n" });
  await using run = await runScripted(
    script,
    { "policy/rules.txt": "be good\n" },
    'steps: { work: { prompt: Work, protected: ["policy/**"], outputs: [work.txt] } }\n',
  );
  expect(run.ended.code, run.ended.stderr).toBe(0);
  expect(run.kept.of("AttemptAccepted")[0]?.data.dropped?.toSorted()).toEqual(["policy/more.txt", "stepfall.yaml"]);
  expect(run.scene.git("diff", "--name-only", "main", `stepfall/${run.kept.runId}`)).toBe("work.txt");
});

/** A pipeline of command steps alone. */
async function runCommands(
  pipeline: string,
  files: Record<string, string> = {},
  flags: string[] = [],
): Promise<{ scene: Scene; ended: Ended; kept: Kept } & AsyncDisposable> {
  const scene = new Scene({ "p.yaml": pipeline, ...files });
  const ended = await scene.run(["run", "p.yaml", "--slots", "2", ...flags]);
  return { scene, ended, kept: await keptBy(scene), [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

test("a declared output that is missing, and one that .gitignore keeps out of git, are each refused by name; a readonly step changes nothing", async () => {
  await using run = await runCommands(
    `defaults: { retry: 1 }
steps:
  missing: { command: "true", outputs: [report.md] }
  hidden: { command: "mkdir dist; echo x > dist/app.js", outputs: [dist/app.js] }
  reader: { command: "echo oops > oops.txt", readonly: true }
`,
    { ".gitignore": "dist/\n" },
  );
  expect(run.ended.code).toBe(1);
  expect(findings(run.kept).toSorted()).toEqual([
    "contract: declared output dist/app.js is ignored by .gitignore, so it is not in git",
    "contract: declared output report.md does not exist",
    "contract: the step is readonly and 1 file changed",
  ]);
});

test("two steps that change the same line: the second is refused by the merge queue and done again on the first one's result", async () => {
  // Both begin before either ends; the second look finds what the first one wrote.
  const change = (name: string, s: number): string =>
    `  ${name}: { command: "sleep ${s}; echo ${name} >> list.txt", outputs: [list.txt], retry: 2 }\n`;
  await using run = await runCommands(`steps:\n${change("a", 0.6)}${change("b", 0.6)}`, { "list.txt": "start\n" });
  expect(run.ended.code, run.ended.stderr).toBe(0);
  const refused = run.kept.of("MergeRefused");
  expect(refused).toHaveLength(1);
  expect(refused[0]?.data.findings[0]?.message).toContain("conflicts with work merged meanwhile in list.txt");
  const lines = run.scene.git("show", `stepfall/${run.kept.runId}:list.txt`).split("\n");
  expect(lines.toSorted()).toEqual(["a", "b", "start"]);
  expect(run.kept.of("ResultMerged")).toHaveLength(2);
});

test("two changes that pass alone and fail together are caught on the merged tree", async () => {
  const gate = 'gates: ["test $(ls parts | wc -l) -le 2"]';
  await using run = await runCommands(
    `steps:
  a: { command: "sleep 0.6; echo > parts/a", outputs: [parts/a], retry: 1, ${gate} }
  b: { command: "sleep 0.6; echo > parts/b", outputs: [parts/b], retry: 1, ${gate} }
`,
    { "parts/first": "" },
  );
  expect(run.ended.code).toBe(1);
  expect(run.kept.of("AttemptAccepted")).toHaveLength(2);
  expect(run.kept.of("ResultMerged")).toHaveLength(1);
  expect(run.kept.of("MergeRefused").map((e) => e.data.findings[0]?.message)).toEqual([
    expect.stringMatching(/^together with work merged meanwhile: .* exits 1/),
  ]);
  expect(run.scene.git("ls-tree", "--name-only", `stepfall/${run.kept.runId}:parts`).split("\n")).toHaveLength(2);
});

test("a setup that fails, and a step that does not end in its time, say so, and nothing of theirs is merged", async () => {
  await using run = await runCommands(`defaults: { retry: 1 }
steps:
  unprepared: { command: "echo x > x.txt", outputs: [x.txt], setup: ["echo no compiler here; exit 3"] }
  endless: { command: "echo y > y.txt; sleep 97531", outputs: [y.txt], timeout: 1s }
`);
  expect(run.ended.code).toBe(1);
  const failed = Object.fromEntries(run.kept.of("AttemptFailed").map((e) => [e.data.step, e.data]));
  expect(failed["unprepared"]).toMatchObject({ kind: "setup", message: expect.stringMatching(/exits 3\nno compiler here/) as string });
  expect(failed["endless"]).toMatchObject({ kind: "timeout" });
  expect(run.kept.of("ResultMerged")).toEqual([]);
});

test("a step that asks for an agent nobody knows is refused before anything is made", async () => {
  await using scene = new Scene({ "p.yaml": "steps: { work: { prompt: Work, agent: ghost } }\n" });
  const { code, stderr } = await scene.run(["run", "p.yaml"]);
  expect(code).toBe(2);
  expect(stderr).toContain("ghost");
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(join(scene.home, "stepfall.db"))).toBe(false);
  expect(scene.git("branch", "--format=%(refname:short)")).toBe("main");
});
