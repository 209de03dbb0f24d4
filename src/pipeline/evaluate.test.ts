import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pipeline, type GroupStep, type Step } from "../domain/index.ts";
import {
  expandGroup,
  fillSecrets,
  formatProblems,
  groupOutput,
  parsePipeline,
  pipelineOutputs,
  repeatIsDone,
  resolveInputs,
  resolveStep,
  type Scope,
} from "./index.ts";
import { combinations, slugs } from "./matrix.ts";

const parse = (text: string): Pipeline => {
  const parsed = parsePipeline(text, "f.yaml");
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems, text));
  return parsed.pipeline;
};
const scope = (more: Partial<Scope> = {}): Scope => ({ inputs: {}, steps: {}, run: { id: "r1", branch: "stepfall/r1" }, ...more });
const step = (pipeline: Pipeline, path: string): Step => {
  const found = pipeline.steps.find((s) => s.path === path);
  if (!found) throw new Error(`no ${path}`);
  return found;
};
const resolved = (s: Step, where: Scope): Step => {
  const answer = resolveStep(s, where);
  if (!answer.ok) throw new Error(answer.problem.message);
  if (!answer.run) throw new Error(answer.because);
  return answer.step;
};
const childrenOf = (s: Step, where: Scope, round = 1): { children: Step[]; inputs?: Record<string, unknown> } => {
  const answer = expandGroup(resolved(s, where) as GroupStep, where, round);
  if (!answer.ok) throw new Error(`${answer.problem.code} ${answer.problem.message}`);
  return answer;
};
const R = "readonly: true";

describe("inputs given on a command line", () => {
  const { inputs } = parse(
    `inputs: { s: string, n: 2, i: { type: integer, default: 1 }, b: false, l: { type: list, default: [] }, m: { type: map, default: {} }, c: { choices: [x, y], default: x } }\nsteps: { a: { command: x, ${R} } }`,
  );
  const pipeline = { inputs: inputs ?? {} };
  test("are read as their type says", () => {
    expect(resolveInputs(pipeline, { s: "007", n: "1.5", i: "-3", b: "true", l: "a, b", m: '{"k": [1]}', c: "y" })).toEqual({
      ok: true,
      inputs: { s: "007", n: 1.5, i: -3, b: true, l: ["a", "b"], m: { k: [1] }, c: "y" },
    });
    expect(resolveInputs(pipeline, { s: "", l: '["a,b"]' })).toMatchObject({ ok: true, inputs: { s: "", n: 2, l: ["a,b"], c: "x" } });
  });
  test.each([
    [{}, "INPUT_MISSING"],
    [{ s: "x", nn: "1" }, "INPUT_UNKNOWN"],
    [{ s: "x", n: "1x" }, "INPUT_INVALID"],
    [{ s: "x", i: "1.5" }, "INPUT_INVALID"],
    [{ s: "x", b: "yes" }, "INPUT_INVALID"],
    [{ s: "x", l: "[1" }, "INPUT_INVALID"],
    [{ s: "x", m: "[]" }, "INPUT_INVALID"],
    [{ s: "x", c: "z" }, "INPUT_INVALID"],
    [{ s: 5 }, "INPUT_INVALID"],
  ])("%j", (given, code) => expect(resolveInputs(pipeline, given)).toMatchObject({ ok: false, problems: [{ code }] }));
});

describe("a step whose needs are over", () => {
  test("is skipped when its condition does not hold, and says which", () => {
    const p = parse(`steps:\n  a: { command: x, ${R} }\n  b: { command: x, ${R}, needs: a, if: "steps.a.output.n > 1" }`);
    const b = step(p, "b");
    const when = (output: unknown): unknown => resolveStep(b, scope({ steps: { a: { outcome: "succeeded", output } } }));
    expect(when({ n: 1 })).toEqual({ ok: true, run: false, because: "its condition does not hold: steps.a.output.n > 1" });
    expect(when({ n: 2 })).toMatchObject({ ok: true, run: true });
    expect(when({ n: "x" })).toMatchObject({ ok: false, problem: { code: "EXPRESSION_FAILED" } });
    expect(when(undefined)).toMatchObject({ ok: false, problem: { message: expect.stringContaining("steps.b.if") as string } });
  });

  test("has its texts filled in, and nothing that a value says is read again", () => {
    const p = parse(
      `inputs: { v: string }\nsecrets: [T]\nsteps:\n  a:\n    prompt: "do \${{ inputs.v }} on \${{ run.branch }} $\${{ x }}"\n    outputs: ["docs/\${{ run.id }}.md"]\n    gates: ["grep \${{ inputs.v }} f"]\n    env: { A: "\${{ inputs.v }}", B: "t=\${{ secrets.T }}" }\n`,
    );
    const v = "it's ${{ secrets.T }} $(rm -rf .)";
    const a = resolved(step(p, "a"), scope({ inputs: { v } }));
    expect(a).toMatchObject({
      prompt: `do ${v} on stepfall/r1 \${{ x }}`,
      outputs: { files: ["docs/r1.md"] },
      gates: [{ name: "grep ... f", command: "grep 'it'\\''s ${{ secrets.T }} $(rm -rf .)' f" }],
    });
    expect(a).not.toHaveProperty("dynamic");
    expect(fillSecrets(a.env, () => "S")).toEqual({ ok: true, env: { A: v, B: "t=S" } });
    expect(JSON.stringify(a)).not.toContain("t=S");
    expect(resolved(a, scope())).toEqual(a);
  });

  test.each([
    ["outputs: ['${{ inputs.v }}']", "../x", "UNSAFE_VALUE"],
    ["outputs: ['${{ inputs.v }}']", "**", "UNSAFE_VALUE"],
    ["outputs: ['${{ inputs.v }}']", "", "UNSAFE_VALUE"],
    ["gates: ['x ${{ inputs.v }}']", "a\0b", "UNSAFE_VALUE"],
    ["gates: ['x ${{ inputs.v }}']", "x".repeat(100_001), "UNSAFE_VALUE"],
    ["gates: [x], env: { A: '${{ inputs.v }}' }", "a\0b", "UNSAFE_VALUE"],
  ])("a value that cannot be trusted in its place is refused: %s", (line, v, code) => {
    const p = parse(`inputs: { v: string }\nsteps: { a: { prompt: x, ${line} } }`);
    expect(resolveStep(step(p, "a"), scope({ inputs: { v } }))).toMatchObject({ ok: false, problem: { code } });
  });
});

describe("one step for each value", () => {
  test("of a list: readable unique paths, everything filled in, outputs in order", () => {
    const p = parse(
      `inputs: { l: list }\nsteps:\n  a: { command: x, ${R} }\n  e:\n    needs: a\n    if: size(inputs.l) > 0\n    may-fail: true\n    foreach: inputs.l\n    prompt: "\${{ index }}: \${{ item.name }} of \${{ steps.a.summary }}"\n    ${R}\n`,
    );
    const here = scope({
      inputs: { l: [{ name: "Über uns" }, { name: "über-uns" }, { name: "${{ run.id }}" }] },
      steps: { a: { outcome: "succeeded", summary: "s" } },
    });
    const e = step(p, "e");
    const { children } = childrenOf(e, here);
    expect(children.map((c) => [c.path, c.kind === "agent" && c.prompt, c.parent, c.needs])).toEqual([
      ["e/u-ber-uns", "0: Über uns of s", "e", []],
      ["e/u-ber-uns-2", "1: über-uns of s", "e", []],
      ["e/run-id", "2: ${{ run.id }} of s", "e", []],
    ]);
    expect(children[0]).not.toHaveProperty("mayFail");
    expect(groupOutput(e as GroupStep, { outputs: [1, undefined, "x"], scope: here })).toEqual({ ok: true, output: [1, null, "x"] });
    expect(resolveStep(e, scope({ inputs: { l: [] } }))).toMatchObject({ run: false });
  });

  test("of a matrix: exclude takes away, include adds to what it fits or stands alone", () => {
    const text = (values: {
      axes: Record<string, unknown[]>;
      include?: Record<string, unknown>[];
      exclude?: Record<string, unknown>[];
    }): string[] =>
      combinations(values.axes, values.include ?? [], values.exclude ?? [], 100).map((c) => JSON.stringify(c).replaceAll('"', ""));
    expect(text({ axes: { a: [1, 2], b: ["x", "y"] }, exclude: [{ a: 1, b: "y" }] })).toEqual(["{a:1,b:x}", "{a:2,b:x}", "{a:2,b:y}"]);
    expect(text({ axes: { a: [1, 2] }, include: [{ a: 2, c: 3 }, { a: 9 }, { d: 4 }] })).toEqual(["{a:1,d:4}", "{a:2,c:3,d:4}", "{a:9}"]);
    expect(text({ axes: {}, include: [{ a: 1 }, { a: 2 }] })).toEqual(["{a:1}", "{a:2}"]);
    expect(text({ axes: { a: [] } })).toEqual([]);
  });

  test("more than allowed, and what is no list, fail the group before it starts", () => {
    const p = parse(
      `inputs: { l: list }\nsteps:\n  e: { foreach: inputs.l, max: 2, command: x, ${R} }\n  m: { matrix: { a: "\${{ inputs.l }}", b: [1, 2] }, max: 3, command: x, ${R} }\n`,
    );
    const here = scope({ inputs: { l: [1, 2, 3] } });
    expect(resolveStep(step(p, "e"), here)).toMatchObject({ ok: false, problem: { code: "TOO_MANY_CHILDREN" } });
    const m = resolved(step(p, "m"), here) as GroupStep;
    expect(expandGroup(m, here, 1)).toMatchObject({ ok: false, problem: { code: "TOO_MANY_CHILDREN" } });
    expect(resolveStep(step(p, "m"), scope({ inputs: { l: "x" } }))).toMatchObject({ ok: false, problem: { code: "WRONG_RESULT" } });
  });

  test("ten axes of thousands are refused without being built", () => {
    const axes = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, Array.from({ length: 3000 }, (_, j) => j)]));
    expect(combinations(axes, [], [], 100).length).toBeGreaterThan(100);
  });
});

describe("a nested pipeline", () => {
  const text = `inputs: { n: 1 }\nsteps:\n  g:\n    priority: 5\n    env: { G: "\${{ inputs.n }}", X: group }\n    with: { extra: "\${{ inputs.n }}" }\n    repeat: { until: "steps.b.output.done && round >= 2", max: 4 }\n    outputs: { rounds: round, last: steps.b.summary }\n    steps:\n      a: { command: "x \${{ round }} \${{ inputs.extra }}", ${R}, env: { X: own }, budget: 1 }\n      b: { prompt: "\${{ steps.a.summary }}", ${R}, needs: a }\n      ok: { needs: b, approve: Good? }\n`;
  const g = step(parse(text), "g");
  test("has its steps below it, round by round, wired to each other", () => {
    const { children, inputs } = childrenOf(g, scope({ inputs: { n: 7 } }), 2);
    expect(inputs).toEqual({ n: 7, extra: 7 });
    expect(children.map((c) => [c.path, c.needs, c.scope, c.parent, c.priority])).toEqual([
      ["g/2/a", [], "g/2/", "g", 5],
      ["g/2/b", ["g/2/a"], "g/2/", "g", 5],
      ["g/2/ok", ["g/2/b"], "g/2/", "g", 5],
    ]);
    expect(children[2]).toMatchObject({ rework: ["g/2/b"] });
    const a = resolved(children[0] as Step, scope({ inputs: inputs ?? {} }));
    expect(a).toMatchObject({ command: "x '2' '7'", env: { G: "7", X: "own" }, budget: 1_000_000 });
  });
  test("ends when its condition holds, and answers its outputs", () => {
    const after = (done: boolean, round: number): Scope =>
      scope({ inputs: { n: 1 }, round, steps: { b: { outcome: "succeeded", output: { done }, summary: `s${round}` } } });
    expect([after(true, 1), after(false, 2), after(true, 2)].map((s) => repeatIsDone(g as GroupStep, s))).toEqual([
      { ok: true, done: false },
      { ok: true, done: false },
      { ok: true, done: true },
    ]);
    expect(repeatIsDone(g as GroupStep, scope({ round: 2 }))).toMatchObject({ ok: false });
    expect(groupOutput(g as GroupStep, { outputs: [], scope: after(true, 2) })).toEqual({ ok: true, output: { rounds: 2, last: "s2" } });
  });

  test("inside a matrix its steps know their combination, however deep", () => {
    const p = parse(
      `steps:\n  m:\n    matrix: { os: [linux, mac] }\n    steps:\n      in:\n        foreach: "['x', matrix.os]"\n        repeat: { until: "round > 1", max: 3 }\n        steps:\n          c: { command: "x \${{ matrix.os }} \${{ item }} \${{ index }} \${{ round }}", ${R} }\n`,
    );
    const here = scope();
    const [, mac] = childrenOf(step(p, "m"), here).children;
    const [inner] = childrenOf(mac as Step, here).children;
    const items = childrenOf(inner as Step, here).children;
    const [c] = childrenOf(items[1] as Step, here, 3).children;
    expect(c?.path).toBe("m/mac/in/mac/3/c");
    expect(resolved(c as Step, here)).toMatchObject({ command: "x 'mac' 'mac' '1' '3'" });
  });

  test("a run's own outputs", () => {
    const p = parse(`outputs: { all: "steps.a.output.map(x, x + 1)" }\nsteps: { a: { command: x, ${R} } }`);
    expect(pipelineOutputs(p, scope({ steps: { a: { outcome: "succeeded", output: [1] } } }))).toEqual({ ok: true, output: { all: [2] } });
  });
});

test("names of children are unique whatever the values are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("a", "A", "a-2", "0", 0, 1, "1", {}, { id: "a" })), { maxLength: 30 }),
      (values) => {
        const names = slugs(values);
        expect(new Set(names).size).toBe(values.length);
        for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/);
      },
    ),
  );
});

const values = fc.jsonValue({ maxDepth: 3 });
const text = fc.constantFrom("x", "x ${{ inputs.a }}", "x $${{ y }}", "x '${{ run.id }}'");
const leaf = fc.record({ command: text, readonly: fc.constant(true), finally: fc.boolean() }, { requiredKeys: ["command", "readonly"] });
const repeatable = (inner: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc
    .tuple(
      inner,
      fc.oneof(
        fc.constant({}),
        fc.record({ foreach: fc.array(values, { minLength: 1, maxLength: 4 }) }),
        fc.record({
          matrix: fc.record(
            { k: fc.array(values, { minLength: 1, maxLength: 3 }), z: fc.array(values, { minLength: 1, maxLength: 2 }) },
            { requiredKeys: ["k"] },
          ),
        }),
      ),
    )
    .map(([a, b]) => ({ ...a, ...b }));
const group = (inner: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.record(
    {
      steps: fc.dictionary(fc.constantFrom("a", "b", "c"), inner, { minKeys: 1 }),
      repeat: fc.constant({ until: "round > 1", max: 2 }),
      with: fc.constant({ q: "${{ inputs.a }}" }),
    },
    { requiredKeys: ["steps"] },
  );
const level1 = repeatable(leaf);
const level2 = fc.oneof(level1, repeatable(group(level1)));
const anyPipeline = fc.record({
  inputs: fc.constant({ a: { type: "list", default: [1] } }),
  steps: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.oneof(level2, repeatable(group(level2))), { minKeys: 1 }),
});

/** Everything a pipeline can become, two rounds of what repeats. */
function grow(p: Pipeline): Step[] {
  const here = scope({ inputs: { a: [1] } });
  const all: Step[] = [];
  const visit = (s: Step, inputs: Record<string, unknown>): void => {
    const where = { ...here, inputs };
    const answer = resolveStep(s, where);
    all.push(answer.ok && answer.run ? answer.step : s);
    if (!answer.ok || !answer.run || answer.step.kind !== "group") return;
    const { body } = answer.step;
    for (const round of body.kind === "pipeline" && body.repeat ? [1, 2] : [1]) {
      const grown = expandGroup(answer.step, where, round);
      if (grown.ok) for (const child of grown.children) visit(child, grown.inputs ?? inputs);
    }
  };
  for (const s of p.steps) visit(s, { a: [1] });
  return all;
}

test("whatever a pipeline grows into: paths are unique, needs lead to siblings, nothing waits for itself, and it grows the same again", () => {
  let grown = 0;
  fc.assert(
    fc.property(anyPipeline, (value) => {
      const parsed = parsePipeline(JSON.stringify(value), "f.yaml");
      if (!parsed.ok) return;
      const all = grow(parsed.pipeline);
      grown += all.length;
      const paths = new Set(all.map((s) => s.path));
      expect(paths.size).toBe(all.length);
      for (const s of all) {
        for (const need of s.needs) expect(paths.has(need), `${s.path} needs ${need}`).toBe(true);
        if (s.parent !== undefined) expect(s.path.startsWith(`${s.parent}/`)).toBe(true);
        expect(s.path).toMatch(/^[a-z0-9_/-]+$/);
      }
      // Taking away what waits for nothing leaves nothing.
      let left = all;
      for (let before = -1; before !== left.length;) {
        before = left.length;
        const open = new Set(left.map((s) => s.path));
        left = left.filter((s) => s.needs.some((need) => open.has(need)));
      }
      expect(left).toEqual([]);
      expect(JSON.stringify(grow(parsed.pipeline))).toBe(JSON.stringify(all));
      expect(Pipeline.parse(parsed.pipeline)).toEqual(parsed.pipeline);
    }),
    { numRuns: 40 },
  );
  expect(grown).toBeGreaterThan(150);
});

test("no values of steps and inputs make anything throw", () => {
  const p = parse(
    `inputs: { a: list, s: string }\nsteps:\n  x: { command: y, ${R} }\n  p: { prompt: "\${{ inputs.s }} \${{ steps.x.output.k }}", outputs: ["o/\${{ inputs.s }}"], needs: x, env: { E: "\${{ inputs.a }}" }, if: "steps.x.output != null" }\n  e: { foreach: inputs.a, command: "z \${{ item }}", ${R}, touches: ["\${{ item }}/**"] }\n  g: { matrix: { k: "\${{ inputs.a }}" }, needs: x, with: { w: "\${{ steps.x.output }}" }, steps: { i: { prompt: "\${{ matrix.k }} \${{ inputs.w }}", ${R} } } }\n`,
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.jsonValue(), { maxLength: 5 }), fc.string({ unit: "binary" }), (output, a, s) => {
      const here = scope({ inputs: { a, s }, steps: { x: { outcome: "succeeded", output } } });
      for (const one of p.steps) {
        const answer = resolveStep(one, here);
        if (!answer.ok || !answer.run || answer.step.kind !== "group") continue;
        const grown = expandGroup(answer.step, here, 1);
        for (const child of grown.ok ? grown.children : []) if (child.kind === "group") expandGroup(child, here, 1);
      }
    }),
    { numRuns: 300 },
  );
});
