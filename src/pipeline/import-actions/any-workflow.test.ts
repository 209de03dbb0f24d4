import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { importActions } from "./index.ts";

const ids = ["a", "b", "c", "D", "e-f", "1x"];
const expressions = [
  "always()",
  "github.ref == 'x' && !contains(matrix.x, 'y')",
  "matrix.x || 'y'",
  "matrix.y.z != 3",
  "fromJSON(needs.a.outputs.t)",
  'fromJSON(\'[1, {"k": "}}"}]\')',
  "needs.a.outputs.t",
  "needs.*.result",
  "contains(needs.*.result, 'failure')",
  "secrets.T || github.token",
  "steps.s.outputs.o && 'a' || inputs.in",
  "inputs.in-put == true",
  "format('{0}', runner.os)",
  "hashFiles('x')",
  "vars.V > 1",
  "github.event.inputs.flag",
];
const word = fc.oneof(
  fc.constantFrom("${{", "}}", "'", "$(x)", "s", "t", "bash", "ubuntu-latest", ...expressions),
  fc.constantFrom(...expressions).map((e) => `\${{ ${e} }}`),
  fc.constantFrom(...expressions).map((e) => `a "\${{ ${e} }}" b`),
  fc.string({ maxLength: 12 }),
);
const scalar = fc.oneof(word, fc.integer({ min: -3, max: 400 }), fc.boolean(), fc.constant(null));
const value = fc.oneof({ depthSize: "small" }, scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(word, scalar, { maxKeys: 3 }));
const step = fc.record(
  {
    run: value,
    uses: value,
    if: value,
    id: value,
    env: value,
    with: value,
    shell: value,
    name: value,
    "working-directory": value,
    "continue-on-error": value,
  },
  { requiredKeys: [] },
);
const job = fc.record(
  {
    needs: fc.oneof(fc.constantFrom(...ids), fc.array(fc.constantFrom(...ids), { maxLength: 3 }), value),
    if: value,
    uses: value,
    "runs-on": value,
    env: value,
    outputs: value,
    "timeout-minutes": value,
    "continue-on-error": value,
    strategy: fc.oneof(
      value,
      fc.record({ matrix: fc.oneof(value, fc.dictionary(fc.constantFrom("x", "y", "include", "exclude"), value)), "fail-fast": value }),
    ),
    steps: fc.oneof(fc.array(step, { maxLength: 3 }), value),
  },
  { requiredKeys: [] },
);
const input = fc.record(
  {
    type: fc.constantFrom("string", "boolean", "number", "choice", "other"),
    default: value,
    required: fc.boolean(),
    options: value,
    description: value,
  },
  { requiredKeys: [] },
);
const workflow = fc.record(
  {
    name: value,
    on: fc.oneof(
      value,
      fc.record({ workflow_dispatch: fc.record({ inputs: fc.dictionary(fc.constantFrom("in", "flag", "in-put", "1"), input) }) }),
    ),
    env: value,
    jobs: fc.oneof({ weight: 9, arbitrary: fc.dictionary(fc.constantFrom(...ids), job) }, { weight: 1, arbitrary: value }),
  },
  { requiredKeys: ["jobs"] },
);

test("no text makes the import throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
      expect(typeof importActions(text, "x.yml").ok).toBe("boolean");
      expect(typeof importActions(`jobs:\n  a:\n    if: "${text}"\n    steps:\n      - run: |\n          ${text}`, "x.yml").ok).toBe(
        "boolean",
      );
    }),
    { numRuns: 200 },
  );
});

test("whatever a workflow holds, its DAG has no cycle, or the problem names one; and the pipeline has a step for each job", () => {
  fc.assert(
    fc.property(workflow, (content) => {
      const imported = importActions(JSON.stringify(content), "x.yml");
      if (!imported.ok) {
        for (const problem of imported.problems) {
          expect(problem.message).not.toBe("");
          if (problem.code !== "PIPELINE_CYCLE") continue;
          const way = problem.message.split(" -> ");
          expect(way[0]).toBe(way.at(-1));
        }
        return;
      }
      const { jobs, edges } = imported.dag;
      const left = new Map(jobs.map(({ id, needs }) => [id, new Set(needs)]));
      for (let next = first(left); next !== undefined; next = first(left)) {
        left.delete(next);
        for (const needs of left.values()) needs.delete(next);
      }
      expect([...left.keys()]).toEqual([]);
      expect(edges).toHaveLength(jobs.reduce((sum, { needs }) => sum + needs.length, 0));
      expect(imported.unloadable).toEqual([]);
      const pipeline = parse(imported.pipeline) as { steps: Record<string, { needs?: string[]; command: string }> };
      const steps = Object.entries(pipeline.steps);
      expect(steps).toHaveLength(jobs.length);
      for (const [, { needs = [] }] of steps) for (const need of needs) expect(Object.keys(pipeline.steps)).toContain(need);
      // Expressions stand in variables: a command with one would put a value where the shell reads code.
      for (const [, { command }] of steps) expect(command).not.toContain("${{");
    }),
    { numRuns: 300 },
  );
});

const first = (left: ReadonlyMap<string, ReadonlySet<string>>): string | undefined => [...left].find(([, needs]) => needs.size === 0)?.[0];
