import { describe, expect, test } from "vitest";
import { parsePipeline, resolveStep } from "./index.ts";

const yaml = (gate: string, more = "outputs: [a.md]"): string => `steps:\n  a:\n    prompt: x\n    ${more}\n    gates:\n      - ${gate}\n`;
const gateOf = (gate: string, more?: string): unknown => {
  const parsed = parsePipeline(yaml(gate, more), "p.yaml");
  return parsed.ok ? parsed.pipeline.steps[0]?.gates[0] : parsed.problems;
};
const problems = (gate: string, more?: string): string[] => {
  const parsed = parsePipeline(yaml(gate, more), "p.yaml");
  return parsed.ok ? [] : parsed.problems.map((p) => `${p.line}:${p.col} ${p.code} ${p.message} | ${p.hint}`);
};

describe("short and long forms", () => {
  test.each([
    [
      "{ diff: { max-files: 5, max-lines: 200, allow: [src], forbid: ['**/*.lock'] }, name: small }",
      { kind: "diff", name: "small", mostFiles: 5, mostLines: 200, allowed: ["src"], forbidden: ["**/*.lock"] },
    ],
    ["coverage: true", { kind: "coverage", name: "coverage", allowed: [] }],
    ["coverage: { allow: [docs] }", { kind: "coverage", name: "coverage", allowed: ["docs"] }],
    [
      "schema: { files: a.json, schema: { type: object } }",
      { kind: "schema", name: "schema: a.json", files: ["a.json"], schema: { inline: { type: "object" } } },
    ],
    [
      "schema: { files: [a.yaml], schema: s/a.json }",
      { kind: "schema", name: "schema: a.yaml", files: ["a.yaml"], schema: { file: "s/a.json" } },
    ],
    [
      "regression: npm test",
      { kind: "regression", name: "regression: npm test", command: "npm test", report: "exit-code", timeoutMs: 600_000 },
    ],
    [
      "{ regression: { command: pytest, report: out/*.xml }, timeout: 2m }",
      {
        kind: "regression",
        name: "regression: pytest",
        command: "pytest",
        report: "junit",
        reportFiles: ["out/*.xml"],
        timeoutMs: 120_000,
      },
    ],
    [
      "regression: { command: go test -json ./..., format: go }",
      { kind: "regression", name: "regression: go test -json ./...", command: "go test -json ./...", report: "go", timeoutMs: 600_000 },
    ],
    ["syntax: true", { kind: "syntax", name: "syntax", except: [] }],
    ["syntax: [src]", { kind: "syntax", name: "syntax", files: ["src"], except: [] }],
    [
      "judge: It does what was asked for",
      { kind: "judge", name: "judge", criteria: [{ id: "1", text: "It does what was asked for" }], judges: [], timeoutMs: 600_000 },
    ],
    [
      "{ judge: { rubric: [Right, { id: brief, text: It is brief, at-least: 5 }], judges: [a, mid], stronger: b, at-least: 8 }, timeout: 2m }",
      {
        kind: "judge",
        name: "judge",
        criteria: [
          { id: "1", text: "Right" },
          { id: "brief", text: "It is brief", passAt: 5 },
        ],
        passAt: 8,
        judges: ["a", "mid"],
        stronger: "b",
        timeoutMs: 120_000,
      },
    ],
    ["{ syntax: { except: [test/broken] }, name: it parses }", { kind: "syntax", name: "it parses", except: ["test/broken"] }],
  ])("%s", (gate, expected) => expect(gateOf(gate)).toEqual(expected));
});

describe("mistakes have a place, a sentence and a mend", () => {
  test.each([
    ["judge: { judges: a }", "6:16 MISSING_KEY `rubric` is missing in `steps.a.gates.0.judge` | Add it"],
    [
      "judge: { rubric: x, at-least: 11 }",
      "6:39 BAD_VALUE steps.a.gates.0.judge.at-least: must be at most 10, found the number 11 | Write 10 or less",
    ],
    [
      "best-of: 3",
      "6:9 UNKNOWN_KEY steps.a.gates.0: `best-of` is not a key of a gate | Write it in the step, beside `prompt`: `best-of: 3`",
    ],
    ["diff: {}", "6:15 BAD_VALUE steps.a.gates.0.diff: the diff gate allows everything | Add max-files, max-lines, allow or forbid"],
    ["diff: { files: 3 }", "6:17 UNKNOWN_KEY steps.a.gates.0.diff: `files` is not a key of a diff gate | Did you mean `max-files`?"],
    ["diff: { max-files: -1 }", "6:28 BAD_VALUE steps.a.gates.0.diff.max-files: must be at least 0, found the number -1 | Write 0 or more"],
    ["diff: true", "6:15 WRONG_TYPE steps.a.gates.0.diff: expected a map, found true | Write it as a map of `key: value` lines"],
    [
      "diff: { allow: [/etc] }",
      '6:25 BAD_PATH steps.a.gates.0.diff.allow.0: "/etc" is an absolute path | Write a path inside the project, such as src/a.ts',
    ],
    ["coverage: false", "6:19 BAD_VALUE steps.a.gates.0.coverage: expected one of true; found false | Write true"],
    ["schema: { files: a.json }", "6:17 MISSING_KEY `schema` is missing in `steps.a.gates.0.schema` | Add it"],
    [
      "schema: { files: a.json, schema: { type: nonsense } }",
      expect.stringMatching(/^6:\d+ BAD_JSON_SCHEMA .*this is not a valid JSON Schema/),
    ],
    [
      "regression: { command: x, report: out.txt }",
      "6:43 MISSING_KEY steps.a.gates.0.regression.report: nothing tells what the report's format is | Add `format: junit`, tap, json or go",
    ],
    [
      "regression: { command: x, report: a.xml, format: exit-code }",
      "6:43 BAD_VALUE steps.a.gates.0.regression.report: a report has no effect with `format: exit-code` | Remove `report`, or write the report's format",
    ],
    [
      "regression: { command: x, format: xunit }",
      expect.stringMatching(/^6:43 BAD_VALUE .*expected one of junit, tap, json, go, exit-code; found/),
    ],
    [
      "regression: { command: x, timeout: 5m }",
      "6:35 UNKNOWN_KEY steps.a.gates.0.regression: `timeout` is not a key of a regression gate | Write it beside `regression`",
    ],
    [
      "{ syntax: true, timeout: 5m }",
      "6:25 UNKNOWN_KEY steps.a.gates.0: `timeout` is not a key of a gate | Only gates that run a command, and judges, have it",
    ],
    ["{ syntax: true, diff: { max-files: 1 } }", expect.stringContaining("as a gate of its own")],
    ["syntax", "6:9 BAD_VALUE steps.a.gates.0: `syntax` alone would be run as a command | Write `- syntax: true`, or `- command: syntax`"],
    ["{ kind: syntax }", expect.stringContaining("A gate's kind is its key, one of command, files, diff")],
    ["{ tests: npm test }", "6:11 UNKNOWN_KEY steps.a.gates.0: `tests` is not a key of a gate | Did you mean `regression`?"],
    ["judge: { criteria: [] }", "6:18 UNKNOWN_KEY steps.a.gates.0.judge: `criteria` is not a key of a judge gate | Did you mean `rubric`?"],
    [
      "judge: { rubric: [{ id: a, text: x }, { id: a, text: y }] }",
      "6:47 BAD_VALUE Two criteria are called `a` | Give each criterion an id of its own; without one it is called by its number",
    ],
    ["judge: { rubric: x, judges: [a, b], stronger: b }", "6:55 BAD_VALUE `b` is among the judges already | Name another agent, or none"],
  ])("%s", (gate, expected) => expect(problems(gate)).toEqual([expected]));

  test("several mistakes in one gate are told as that gate's, not as another kind's", () => {
    expect(problems("diff: { max-files: x, max-lines: y, allow: 3 }").map((p) => p.split(" | ")[0])).toEqual([
      expect.stringContaining("gates.0.diff.max-files"),
      expect.stringContaining("gates.0.diff.max-lines"),
      expect.stringContaining("gates.0.diff.allow"),
    ]);
  });

  test("coverage of a step that declares nothing", () => {
    expect(problems("coverage: true", "touches: [a]")).toEqual([
      "6:9 BAD_VALUE The step declares no outputs that `coverage` could look at | Add `outputs: [path]`, or remove the gate",
    ]);
    expect(problems("coverage: true", "outputs: { json: { file: a.json, schema: {} } }")).toEqual([]);
  });
});

test("values of expressions stand in globs and commands, as one word each, and nowhere else", () => {
  const text = `inputs: { dir: string }
steps:
  a:
    prompt: x
    outputs: [a.md]
    gates:
      - diff: { allow: ["\${{ inputs.dir }}/**"] }
      - coverage: { allow: ["\${{ inputs.dir }}"] }
      - schema: { files: ["\${{ inputs.dir }}/*.json"], schema: { const: "\${{ not ours }}" } }
      - regression: { command: "test \${{ inputs.dir }}", report: "\${{ inputs.dir }}/r.xml" }
      - syntax: ["\${{ inputs.dir }}"]
`;
  const parsed = parsePipeline(text, "p.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const [step] = parsed.pipeline.steps;
  if (!step) throw new Error("no step");
  const resolved = resolveStep(step, { inputs: { dir: "a b" }, steps: {}, run: { id: "1", branch: "b" } });
  if (!resolved.ok || !resolved.run) throw new Error(JSON.stringify(resolved));
  expect(resolved.step.gates).toMatchObject([
    { kind: "diff", allowed: ["a b/**"] },
    { kind: "coverage", allowed: ["a b"] },
    { kind: "schema", files: ["a b/*.json"], schema: { inline: { const: "${{ not ours }}" } } },
    { kind: "regression", command: "test 'a b'", reportFiles: ["a b/r.xml"] },
    { kind: "syntax", files: ["a b"] },
  ]);
  expect(problems('{ syntax: true, name: "${{ 1 }}" }')).toHaveLength(1);
});
