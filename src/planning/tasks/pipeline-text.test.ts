import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePipeline } from "../../pipeline/index.ts";
import type { Task } from "./contract.ts";
import { pipelineOfTasks } from "./pipeline-text.ts";
import { taskIds } from "./task-ids.ts";

const defaults = { gates: ["npm test"], setup: ["npm ci"] };

function made(tasks: readonly Task[], more: Partial<typeof defaults> & { budget?: number } = {}) {
  const { text, parsed } = pipelineOfTasks(tasks, { ...defaults, ...more });
  if (!parsed.ok) throw new Error(`${JSON.stringify(parsed.problems)}\n${text}`);
  return { text, pipeline: parsed.pipeline };
}

test("a sentence is one agent step, judged by the gates, in a prepared workspace", () => {
  const { pipeline } = made([{ task: "Fix the failing test" }], { budget: 500_000 });
  expect(pipeline).toMatchObject({ name: "fix-the-failing-test", budget: 500_000 });
  expect(pipeline.steps).toMatchObject([
    {
      path: "fix-the-failing-test",
      kind: "agent",
      prompt: "Fix the failing test",
      needs: [],
      setup: ["npm ci"],
      gates: [{ kind: "command", command: "npm test" }],
    },
  ]);
});

test("several sentences wait for nobody", () => {
  const { pipeline } = made([{ task: "One" }, { task: "Two" }, { task: "One" }]);
  expect(pipeline.steps.map((s) => [s.path, s.needs])).toEqual([
    ["one", []],
    ["two", []],
    ["one-2", []],
  ]);
});

test("without any gate a step is done when something changed: it promises no particular file, and the text says so", () => {
  const { text, pipeline } = made([{ task: "Tidy up" }], { gates: [], setup: [] });
  expect(pipeline.steps[0]).toMatchObject({ gates: [], outputs: { files: ["**"] }, readonly: false });
  expect(text).toContain("outputs:");
});

test("steps stand in the order of the tasks, also where an id is a number", () => {
  expect(made([{ task: "b" }, { task: "2" }, { task: "a", id: "1" }]).pipeline.steps.map((s) => s.path)).toEqual(["b", "task-2", "1"]);
});

test("what a task says of itself comes before what holds for all", () => {
  const task = {
    task: "Document it",
    id: "docs",
    gates: ["test -s a.md"],
    setup: [],
    outputs: ["a.md"],
    touches: ["*.md"],
    budget: 20_000,
  };
  const { pipeline } = made([task, { task: "Then this", needs: ["docs"] }]);
  expect(pipeline.steps[0]).toMatchObject({ path: "docs", setup: [], outputs: { files: ["a.md"] }, touches: ["*.md"], budget: 20_000 });
  expect(pipeline.steps[0]?.gates).toMatchObject([{ command: "test -s a.md" }]);
  expect(pipeline.steps[1]).toMatchObject({ needs: ["docs"], setup: ["npm ci"] });
});

test("any sentence arrives word for word, whatever YAML or the pipeline language would make of it", () => {
  const word = fc.constantFrom(
    "${{ inputs.x }}",
    "$${{",
    "${{",
    "}}",
    ": ",
    "# no",
    "- ",
    "yes",
    "null",
    "\n",
    "\t",
    "'",
    '"',
    "|",
    "&a",
    "*a",
    "é",
    "🙂",
    " ",
    "{",
    "%",
  );
  const sentence = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1 }),
    fc.array(word, { minLength: 1, maxLength: 8 }).map((w) => w.join("")),
  );
  const meant = (text: string): string =>
    text
      .replaceAll("\r\n", "\n")
      .replaceAll(/[\p{Cc}--[\t\n]]/gv, " ")
      .trim();
  fc.assert(
    fc.property(
      fc.array(
        sentence.filter((s) => meant(s) !== ""),
        { minLength: 1, maxLength: 4 },
      ),
      (sentences) => {
        const { text, pipeline } = made(
          sentences.map((task) => ({ task })),
          { gates: sentences.map((s) => meant(s).replaceAll("${{", "")).filter((s) => s.trim() !== "") },
        );
        expect(pipeline.steps.map((s) => (s.kind === "agent" ? s.prompt : ""))).toEqual(sentences.map(meant));
        expect(parsePipeline(text, "again.yaml")).toMatchObject({ ok: true });
      },
    ),
    { numRuns: 200 },
  );
});

test("a gate arrives word for word, too", () => {
  const gates = ['test "$(wc -l < a)" -ge 3 # enough', "npm test\nnpm run lint", "echo '- : &x'"];
  const { pipeline } = made([{ task: "x" }], { gates });
  expect(pipeline.steps[0]?.gates.map((g) => (g.kind === "command" ? g.command : ""))).toEqual(gates);
});

test("ids are unique, readable and ids, whatever is said", () => {
  expect(taskIds([{ task: "Fix the cart's total!" }, { task: "Überprüfe die Größe" }, { task: "修复" }, { task: "a".repeat(99) }])).toEqual(
    ["fix-the-carts-total", "uberprufe-die-gro-e", "task-3", "a".repeat(40)],
  );
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 6 }), (sentences) => {
      const ids = taskIds(sentences.map((task) => ({ task })));
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^[a-z0-9][a-z0-9_-]{0,63}$/);
    }),
  );
});

test("an id that somebody gave is never taken for another task", () => {
  expect(taskIds([{ task: "Do it" }, { task: "x", id: "do-it" }])).toEqual(["do-it-2", "do-it"]);
});
