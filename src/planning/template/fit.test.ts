import { expect, test } from "vitest";
import { fitTemplate, pipelineOfTemplate } from "./fit.ts";

const template = `# What it is for.
name: two
inputs:
  goal: { type: string, description: what shall be }
steps:
  build:
    prompt: \${{ inputs.goal }}
    # Why this gate.
    gates: [npm test, test -s a.md]
  look: { prompt: look, readonly: true }
  check:
    needs: build
    command: npm test
    readonly: true
`;

function stepsOf(...[fit]: [Parameters<typeof pipelineOfTemplate>[1]]) {
  const { parsed } = pipelineOfTemplate(template, fit);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const gates = (i: number) =>
    parsed.pipeline.steps[i]?.gates.map((g) => (g.kind === "command" ? g.command : g.kind === "files" ? g.files : g.kind));
  const check = parsed.pipeline.steps[2];
  return { parsed, gates, command: check?.kind === "command" ? check.command : undefined };
}

test("the placeholder becomes the project's own checks, in gates and in commands; other gates and comments stay", () => {
  const { parsed, gates, command } = stepsOf({
    gates: ["cargo test", "cargo fmt --check # style"],
    setup: ["cargo fetch"],
    budget: 250_000,
  });
  expect(gates(0)).toEqual(["cargo test", "cargo fmt --check # style", "test -s a.md"]);
  expect(command).toBe("{ cargo test\n} && { cargo fmt --check # style\n}");
  expect(parsed.pipeline.steps.map((s) => s.setup)).toEqual([["cargo fetch"], [], ["cargo fetch"]]);
  expect(parsed.pipeline.budget).toBe(250_000);
  expect(fitTemplate(template, { gates: ["x"], setup: [] })).toMatch(/^# What it is for\.\n[^]*# Why this gate\.\n/);
});

test("one check is written as it is", () => {
  expect(stepsOf({ gates: ["go test ./..."], setup: [] }).command).toBe("go test ./...");
});

test("a project without a known check gets a gate that accepts nothing, and the file says what belongs there", () => {
  const { gates, command } = stepsOf({ gates: [], setup: [] });
  expect([gates(0), command]).toEqual([["false", "test -s a.md"], "false"]);
  expect(fitTemplate(template, { gates: [], setup: [] }).match(/'false' # the command that tells whether the work is good/g)).toHaveLength(
    2,
  );
});

test("what is given for an input becomes its default, whatever it holds", () => {
  for (const goal of ["Fix it", "a: b # c", "null", "x\ny", "'\""]) {
    expect(stepsOf({ gates: ["true"], setup: [], inputs: { goal } }).parsed.pipeline.inputs?.["goal"]).toMatchObject({
      type: "string",
      default: goal,
    });
  }
});
