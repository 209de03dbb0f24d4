import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel } from "../../src/models/index.ts";
import { keptBy, type Kept } from "./run-journal.testkit.ts";

const sumFiles = {
  "sum.mjs": "export const sum = (a, b) => a + b;\n",
  "test/sum.test.mjs":
    'import assert from "node:assert";\nimport { test } from "node:test";\nimport { sum } from "../sum.mjs";\ntest("sums are right", () => assert.equal(sum(2, 3), 5));\n',
};

/** By step: what its agent writes at first, and what once it has read what was wrong. */
const work: Readonly<Record<string, { first: Record<string, string>; second: Record<string, string> }>> = {
  written: {
    first: { "report.md": "# Report\n\nTODO: write it\n", "data.yaml": "name: 7\n", "stray.txt": "1\n" },
    second: { "report.md": "# Report\nAll is well.\n", "data.yaml": "name: seven\n" },
  },
  coded: {
    first: { "part.py": "def part(:\n    return 1\n", "sum.mjs": "export const sum = (a, b) => a - b;\n" },
    second: { "part.py": "def part():\n    return 1\n", "sum.mjs": "export const sum = (a, b) => b + a;\n" },
  },
};

const pipeline = `steps:
  written:
    prompt: Do written
    outputs: [report.md, data.yaml]
    gates:
      - diff: { max-files: 2, max-lines: 3, allow: ["*.md", "*.yaml"], forbid: [stray.txt] }
      - coverage: true
      - schema: { files: data.yaml, schema: data.schema.json }
  coded:
    prompt: Do coded
    needs: written
    gates:
      - syntax: true
      - { regression: { command: "node --test --test-reporter=tap", format: tap }, name: no test breaks }
`;

test("each gate refuses the first attempt, hands its finding to the next one, and lets that pass", { timeout: 240_000 }, async () => {
  /** What the second attempt at a step was told. */
  const told = new Map<string, string>();
  await using model = await startScriptedModel({
    script: ({ messages, turn }) => {
      const prompt = messages.find(({ role, content }) => role === "user" && content.includes("Do "))?.content ?? "";
      const step = Object.keys(work).find((name) => prompt.includes(`Do ${name}`)) ?? "";
      const isAgain = prompt.includes("was refused");
      if (isAgain) told.set(step, prompt);
      const call = Object.entries((isAgain ? work[step]?.second : work[step]?.first) ?? {})[turn];
      if (!call) return { text: "Done." };
      return { toolCalls: [{ name: "write_file", arguments: { path: call[0], content: call[1] } }] };
    },
  });
  const schema = { type: "object", properties: { name: { type: "string" } } };
  await using scene = new Scene({
    "stepfall.yaml": `default-agent: coder
agents: { coder: { executor: chat, model: fake/coder-1, tier: mid } }
providers: { fake: { url: "${model.baseUrl}", local: true } }
`,
    "p.yaml": pipeline,
    "data.schema.json": JSON.stringify(schema),
    ...sumFiles,
  });
  const ended = await scene.run(["run", "p.yaml"]);
  expect(ended.code, ended.stderr).toBe(0);
  const kept = await keptBy(scene);

  const rejected = Object.fromEntries(kept.of("AttemptRejected").map(({ data }) => [data.step, data]));
  expect(Object.keys(rejected)).toEqual(Object.keys(work));
  const because = Object.fromEntries(
    Object.entries(rejected).map(([step, { findings }]) => [step, findings.map((f) => `${f.gate}: ${f.message}`)]),
  );
  expect(because).toEqual({
    written: [
      "diff: 3 files changed, and at most 2 may; 5 lines changed (added and removed), and at most 3 may; only *.md, *.yaml may change, and stray.txt did; stray.txt may not change",
      "coverage: declared output report.md: it is only a promise of what should be there; stray.txt changed, which is none of the step's outputs or `touches`",
      "schema: data.yaml: data.yaml does not satisfy data.schema.json",
    ],
    coded: [
      "syntax: part.py cannot be parsed after this change",
      "no test breaks: 1 test that passed before does not pass now; failing: sums are right",
    ],
  });
  for (const [step, { findings }] of Object.entries(rejected))
    for (const { message, evidence } of findings) {
      expect(told.get(step), step).toContain(message);
      expect(told.get(step), step).toContain((evidence ?? "").split("\n")[0]);
    }
  expect(told.get("coded")).toContain("part.py:1: Python: `)` is missing");

  // Every verdict is recorded, with its kind, its time, and no cost where no model was asked.
  const accepted = kept.of("AttemptAccepted").flatMap(({ data }) => data.gates);
  expect(accepted.map((gate) => [gate.kind, gate.verdict])).toEqual([
    ["diff", "passed"],
    ["coverage", "passed"],
    ["schema", "passed"],
    ["syntax", "passed"],
    ["regression", "passed"],
  ]);
  for (const gate of accepted) {
    expect(gate.durationMs).toBeGreaterThanOrEqual(0);
    expect(gate.microUsd).toBeUndefined();
  }
  expect(accepted.at(-1)?.durationMs).toBeGreaterThan(20);
  expect(accepted.at(-1)?.evidence).toContain("1 test passed before, and pass");
});

async function runCommands(
  text: string,
  files: Record<string, string>,
): Promise<{ scene: Scene; code: number | null; kept: Kept } & AsyncDisposable> {
  const scene = new Scene({ "p.yaml": text, ...files });
  const { code } = await scene.run(["run", "p.yaml", "--slots", "2"]);
  return { scene, code, kept: await keptBy(scene), [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

test(
  "on the merged tree tests and syntax are judged again, against the tip; what is about the attempt alone is not",
  { timeout: 120_000 },
  async () => {
    // Two parts pass with each of them, and not with both.
    const gates = 'gates: [{ regression: "test $(ls parts | wc -l) -le 2" }, { diff: { max-files: 1 } }, { syntax: true }]';
    const part = (name: string): string =>
      `  ${name}: { command: "sleep 0.6; echo '{}' > parts/${name}.json", outputs: [parts/${name}.json], retry: 1, ${gates} }\n`;
    await using run = await runCommands(`steps:\n${part("a")}${part("b")}`, { "parts/first.json": "{}\n" });
    expect(run.code).toBe(1);
    expect(run.kept.of("AttemptAccepted")).toHaveLength(2);
    const [refused] = run.kept.of("MergeRefused");
    expect(refused?.data.findings.map((f) => f.message)).toEqual([
      "together with work merged meanwhile: `test $(ls parts | wc -l) -le 2` passed before the attempt and exits 1 now",
    ]);
    expect(refused?.data.gates.map((gate) => [gate.kind, gate.verdict])).toEqual([
      ["regression", "refused"],
      ["syntax", "passed"],
    ]);
  },
);

test(
  "a deleted test is named; a flaky one is run again and told; the commit all start from is tested once",
  { timeout: 240_000 },
  async () => {
    const flaky = `import { existsSync, writeFileSync } from "node:fs";
import assert from "node:assert";
import { test } from "node:test";
test("now and then", () => {
  const isFirst = existsSync("unsteady") && !existsSync("ran-once");
  writeFileSync("ran-once", "");
  assert.ok(!isFirst);
});
`;
    const tests = 'gates: [{ regression: { command: "node --test --test-reporter=tap", format: tap } }], protected: []';
    await using scene = new Scene({ ...sumFiles, "test/flaky.test.mjs": flaky });
    const count = join(scene.folder, "count");
    scene.write({
      "p.yaml": `steps:
  flaky: { command: "echo > unsteady", ${tests} }
  deleted: { command: "rm test/sum.test.mjs", may-fail: true, needs: flaky, ${tests} }
  counted:
    needs: deleted
    command: 'echo > made-$(wc -l < "$COUNT")'
    retry: 2
    env: { COUNT: "${count}" }
    gates: [{ regression: 'echo >> "$COUNT"' }, { files: [made-2] }]
`,
    });
    writeFileSync(count, "");
    const { code, stderr } = await scene.run(["run", "p.yaml"]);
    expect(code, stderr).toBe(0);
    const kept = await keptBy(scene);
    const [steady] = kept.of("AttemptAccepted");
    expect(steady?.data.gates).toMatchObject([
      { verdict: "passed", evidence: "2 tests passed before, and pass\nfailed once, and passed when run again: now and then" },
    ]);
    const findings = kept.of("AttemptRejected").map(({ data }) => `${data.step}: ${data.findings.map((f) => f.message).join("; ")}`);
    expect(findings).toEqual([
      "deleted: 1 test that passed before does not pass now; gone (renamed, deleted or not run): sums are right",
      "counted: made-2 does not exist in the attempt's commit",
    ]);
    // Once at the commit both attempts started from, and once for each of them.
    expect(readFileSync(count, "utf8")).toBe("\n\n\n");
  },
);
