import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readBatch } from "./read-batch.ts";

function refused(text: string): string[] {
  const read = readBatch(text, "tasks.json");
  if (read.ok) throw new Error("it was accepted");
  return read.problems.map((p) => `${p.line}:${p.col} ${p.code} ${p.message}. ${p.hint}`);
}

test("a list of sentences and of maps, as JSON with tabs or as YAML", () => {
  const json =
    '[\n\t"Fix the test",\n\t{\n\t\t"task": "Document it",\n\t\t"id": "docs",\n\t\t"outputs": ["a.md"],\n\t\t"needs": "fix-the-test",\n\t\t"budget": 0.5\n\t}\n]\n';
  const tasks = [
    { task: "Fix the test", id: "fix-the-test" },
    { task: "Document it", id: "docs", outputs: ["a.md"], needs: ["fix-the-test"], budget: 500_000 },
  ];
  expect(readBatch(json, "tasks.json")).toEqual({ ok: true, tasks });
  const yaml = "- Fix the test\n- { task: Document it, id: docs, outputs: a.md, needs: [fix-the-test], budget: $0.50 }\n";
  expect(readBatch(yaml, "tasks.yaml")).toEqual({ ok: true, tasks });
});

test("the example is a batch", () => {
  const text = readFileSync(new URL("../../../examples/batch/tasks.yaml", import.meta.url), "utf8");
  const read = readBatch(text, "tasks.yaml");
  expect(read).toMatchObject({
    ok: true,
    tasks: [{ id: "fix-the-failing-test" }, { id: "totals" }, { needs: ["totals"], budget: 100_000 }],
  });
});

test("everything wrong is told at once, each with its place and what to do", () => {
  const text = `[
  { "task": "", "budget": -1 },
  { "prompt": "a", "id": "A b" },
  7,
  { "task": "b", "outputs": ["../x"], "model": "gpt" }
]`;
  const problems = refused(text);
  expect(problems, problems.join("\n")).toHaveLength(7);
  expect(problems[0]).toMatch(/^2:13 BAD_VALUE .*the task is empty\. Say what/);
  expect(problems[1]).toMatch(/^2:27 BAD_MONEY/);
  expect(problems[2]).toMatch(/^3:5 UNKNOWN_KEY .*`prompt` is not a key of a task\. Did you mean `task`\?/);
  expect(problems.join("\n")).toMatch(/^5:30 BAD_PATH.*^5:39 UNKNOWN_KEY .*Give --model/ms);
});

test.each([
  ["", /^1:1 WRONG_TYPE Expected a list of tasks, found nothing/],
  ["[]", /^1:1 NO_STEPS/],
  ['{"tasks": []}', /^1:1 WRONG_TYPE Expected a list of tasks, found a map\. Write a list/],
  ["[", /^1:\d YAML_SYNTAX/],
  ['["a", {"task": "b", "needs": ["aa"]}]', /^1:31 UNKNOWN_NEED There is no task `aa`\. Did you mean `a`\?/],
  ['[{"task": "b", "needs": "b"}]', /^1:25 SELF_NEED/],
  ['[{"task": "b", "id": "x"}, {"task": "c", "id": "x"}]', /^1:48 BAD_ID Two tasks are called `x`/],
  [
    '[{"task": "a", "needs": "b"}, {"task": "b", "needs": "c"}, {"task": "c", "needs": "b"}]',
    /^1:54 PIPELINE_CYCLE `b` -> `c` -> `b`\. Remove one/,
  ],
  ['[{"task": "b", "gates": []}]', /^1:16 STEP_NO_CONTRACT/],
])("%s is refused", (text, says) => {
  expect(refused(text)[0]).toMatch(says);
});

test("no gates is an answer where the outputs tell that it is done", () => {
  expect(readBatch('[{"task": "b", "gates": [], "outputs": "b.md"}]', "t.json")).toMatchObject({ ok: true });
});

test("whatever a file holds is answered", () => {
  const item = fc.oneof(
    fc.string(),
    fc.record({ task: fc.string(), needs: fc.array(fc.constantFrom("a", "b", "c")), id: fc.constantFrom("a", "b", "c") }),
    fc.jsonValue(),
  );
  fc.assert(fc.property(fc.array(item), (items) => void readBatch(JSON.stringify(items), "t.json")));
  fc.assert(fc.property(fc.string(), (text) => void readBatch(text, "t.json")));
});
