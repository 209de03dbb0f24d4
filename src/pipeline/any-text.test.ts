import fc from "fast-check";
import { expect, test } from "vitest";
import { Pipeline } from "../domain/index.ts";
import { criticalPathLengths, formatProblems, parsePipeline } from "./index.ts";
import { WHOLE } from "./whole.testdata.ts";

/** Whatever comes out holds: a valid pipeline of the domain without cycles, or problems with places. */
function holds(text: string): void {
  const parsed = parsePipeline(text, "any.yaml");
  if (!parsed.ok) {
    expect(parsed.problems.length).toBeGreaterThan(0);
    for (const p of parsed.problems) expect(p.line >= 1 && p.col >= 1 && p.message !== "" && p.hint !== "", JSON.stringify(p)).toBe(true);
    expect(formatProblems(parsed.problems, text).split("\n").length).toBeLessThan(40);
    return;
  }
  expect(Pipeline.parse(parsed.pipeline)).toEqual(parsed.pipeline);
  const lengths = criticalPathLengths(parsed.pipeline);
  // Along each need the path gets longer: no step can wait for itself.
  for (const step of parsed.pipeline.steps)
    for (const need of step.needs) expect(lengths.get(need)).toBeGreaterThan(lengths.get(step.path) ?? 0);
}

test("any text gives a result", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.json()), holds), { numRuns: 400 });
});

const scraps = [
  "",
  "\t",
  "  ",
  "\n",
  ": ",
  "- ",
  "[",
  "]",
  "{",
  "}",
  "&a ",
  "*a",
  "<<: *a",
  "!x ",
  "|",
  "'",
  '"',
  "#",
  "null",
  "-1",
  "1e999",
  "${{",
  "__proto__: 1",
  "\0",
  "\u202e",
  "~/",
  "../",
  "needs: [fix, docs]",
  "matrix: 1",
  "---\n",
];

test("any mutation of a valid pipeline gives a result", () => {
  const mutation = fc.record({ at: fc.nat(WHOLE.length), cut: fc.nat(12), put: fc.constantFrom(...scraps) });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      holds(mutations.reduce((text, m) => text.slice(0, m.at) + m.put + text.slice(m.at + m.cut), WHOLE));
    }),
    { numRuns: 300 },
  );
});

test("a map that cannot even be made a text is no variable's value", () => {
  holds('{"steps":{},"env":{"":{"toString":null}}}');
  expect(parsePipeline('{"steps":{"a":{"command":"x","readonly":true,"env":{"A":{"toString":null}}}}}', "any.yaml").ok).toBe(false);
});

test("any value anywhere gives a result", () => {
  const keys = [
    "prompt",
    "command",
    "agent",
    "needs",
    "outputs",
    "gates",
    "setup",
    "readonly",
    "retry",
    "timeout",
    "env",
    "budget",
    "touches",
    "priority",
    "affinity",
    "protected",
    "if",
  ];
  const step = fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.constantFrom("x", ["a"], true, 1, { files: ["a"] })), {
    maxKeys: 6,
  });
  const pipeline = fc.record(
    { steps: fc.dictionary(fc.constantFrom("a", "b", "c", "A"), step), defaults: fc.jsonValue(), env: fc.jsonValue() },
    { requiredKeys: ["steps"] },
  );
  fc.assert(
    fc.property(pipeline, (value) => holds(JSON.stringify(value))),
    { numRuns: 300 },
  );
});

test("any graph of needs is accepted exactly when it has no cycle", () => {
  const graph = fc
    .integer({ min: 1, max: 9 })
    .chain((n) => fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), { maxLength: 14 }).map((edges) => ({ n, edges })));
  fc.assert(
    fc.property(graph, ({ n, edges }) => {
      const ids = Array.from({ length: n }, (_, i) => `s${i}`);
      const needs = ids.map((_, i) => edges.flatMap(([a, b]) => (a === i ? [`s${b}`] : [])));
      const text = `steps:\n${ids.map((id, i) => `  ${id}: { command: x, readonly: true, needs: [${needs[i]?.join(", ")}] }\n`).join("")}`;
      // Repeatedly taking away steps that wait for nobody leaves something exactly when there is a cycle.
      let left = new Set(ids);
      for (let before = -1; before !== left.size;) {
        before = left.size;
        left = new Set([...left].filter((id) => needs[Number(id.slice(1))]?.some((x) => left.has(x))));
      }
      const parsed = parsePipeline(text, "g.yaml");
      expect(parsed.ok).toBe(left.size === 0);
      if (parsed.ok) return holds(text);
      for (const p of parsed.problems.filter((x) => x.code === "PIPELINE_CYCLE")) {
        const cycle = p.message.split(" -> ");
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (const [i, id] of cycle.slice(0, -1).entries()) expect(needs[Number(id.slice(1))]).toContain(cycle[i + 1]);
      }
    }),
    { numRuns: 400 },
  );
});
