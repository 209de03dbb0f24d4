import { describe, expect, test } from "vitest";
import { expandGroup, groupOutput, parsePipeline, pipelineGraph, type Scope } from "./index.ts";
import type { GroupStep, Step } from "../domain/index.ts";

const yaml = (bestOf: string, more = ""): string => `inputs: { what: string }
steps:
  fix:
    prompt: Mend \${{ inputs.what }}
    outputs: [a.md]
    best-of: ${bestOf}
${more}`;
const stepOf = (text: string): Step => {
  const parsed = parsePipeline(text, "p.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const [step] = parsed.pipeline.steps;
  if (!step) throw new Error("no step");
  return step;
};
const groupOf = (text: string): GroupStep => {
  const step = stepOf(text);
  if (step.kind !== "group") throw new Error(`a ${step.kind}`);
  return step;
};
const problems = (bestOf: string): string[] => {
  const parsed = parsePipeline(yaml(bestOf), "p.yaml");
  return parsed.ok ? [] : parsed.problems.map((p) => `${p.code} ${p.message} | ${p.hint}`);
};
const scope: Scope = { inputs: { what: "sums" }, steps: {}, run: { id: "r", branch: "b" } };
const childrenOf = (group: GroupStep): Step[] => {
  const expanded = expandGroup(group, scope, 1);
  if (!expanded.ok) throw new Error(expanded.problem.message);
  return expanded.children;
};

describe("best-of", () => {
  test("a number, agents or tiers: one candidate each, filled in, held, and failing nobody", () => {
    const agents = (bestOf: string): unknown[] => childrenOf(groupOf(yaml(bestOf))).map((c) => c.kind === "agent" && c.agent);
    expect(agents("3")).toEqual([{ capability: [] }, { capability: [] }, { capability: [] }]);
    expect(agents("{ n: 2 }")).toHaveLength(2);
    expect(agents("{ agents: [a, b, a] }")).toEqual(["a", "b", "a"].map((id) => ({ id, capability: [] })));
    expect(agents("{ tiers: [free, mid] }")).toEqual(["free", "mid"].map((tier) => ({ tier, capability: [] })));
    const [first] = childrenOf(groupOf(yaml("2")));
    expect(first).toMatchObject({ path: "fix/1", prompt: "Mend sums", parent: "fix", hold: true, mayFail: true, needs: [] });
    expect(first).not.toHaveProperty("dynamic");
  });

  test("when it runs, what its end means and what it may spend are the step's; the rest is each candidate's", () => {
    const group = groupOf(
      yaml("2", "    needs: a\n    may-fail: true\n    budget: 2\n    retry: 5\n  a: { command: x, readonly: true }\n"),
    );
    expect(group).toMatchObject({ needs: ["a"], mayFail: true, budget: 2_000_000 });
    expect(group.body.kind === "best-of" && group.body.step).toMatchObject({ needs: [], retry: { attempts: 5 } });
    expect(group.body.kind === "best-of" && group.body.step).not.toHaveProperty("budget");
    expect(group.body).not.toHaveProperty("judging");
    expect(groupOf(yaml("{ n: 2, rubric: Short }")).body).toMatchObject({ judging: { judges: [], rubric: "Short" } });
    expect(groupOf(yaml("{ n: 2, judges: mid, stronger: wise }")).body).toMatchObject({ judging: { judges: ["mid"], stronger: "wise" } });
  });

  test("its output is the picked one's, and it is drawn as the step it is", () => {
    const group = groupOf(yaml("{ agents: [a, b], judges: wise }"));
    expect(groupOutput(group, { outputs: [null, { n: 1 }], scope })).toEqual({ ok: true, output: { n: 1 } });
    expect(pipelineGraph({ name: "p", steps: [group] }).steps[0]).toMatchObject({
      kind: "agent",
      notes: ["best of a, b (judged by wise)"],
    });
    expect(pipelineGraph({ name: "p", steps: [groupOf(yaml("3"))] }).steps[0]?.notes).toEqual(["best of 3 (the smallest change)"]);
  });

  test("in a matrix each combination has its own candidates", () => {
    const text = yaml("2", "    matrix: { os: [linux, mac] }\n").replace("inputs.what }}", "matrix.os }}");
    const outer = groupOf(text);
    const inner = childrenOf(outer);
    expect(inner.map((c) => c.path)).toEqual(["fix/linux", "fix/mac"]);
    const mac = inner[1];
    if (mac?.kind !== "group") throw new Error("no group");
    expect(childrenOf(mac).map((c) => [c.path, c.kind === "agent" && c.prompt])).toEqual([
      ["fix/mac/1", "Mend mac"],
      ["fix/mac/2", "Mend mac"],
    ]);
  });

  test.each([
    ["1", "BAD_VALUE steps.fix.best-of: must be at least 2, found the number 1 | Write 2 or more"],
    [
      "{ judges: a }",
      "BAD_VALUE steps.fix.best-of: the candidates must be said in one way | Write one of `n: 3`, `agents: [a, b]` and `tiers: [free, mid]`",
    ],
    [
      "{ n: 2, agents: [a, b] }",
      "BAD_VALUE steps.fix.best-of: the candidates must be said in one way | Write one of `n: 3`, `agents: [a, b]` and `tiers: [free, mid]`",
    ],
    ["{ samples: 3 }", "UNKNOWN_KEY steps.fix.best-of: `samples` is not a key of best-of | Did you mean `n`?"],
  ])("%s: %s", (bestOf, expected) => expect(problems(bestOf)).toEqual([expected]));

  test("only a step with a prompt can be done by several", () => {
    const parsed = parsePipeline("steps: { a: { command: x, readonly: true, best-of: 2 } }", "p.yaml");
    expect(parsed.ok ? [] : parsed.problems.map((p) => p.hint)).toEqual(["Only a step with a prompt can be done by several"]);
  });
});
