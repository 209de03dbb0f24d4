import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Pipeline, type Step } from "../domain/index.ts";
import { formatProblems, loadPipeline, parsePipeline, type ParsedPipeline } from "./index.ts";
import { WHOLE } from "./whole.testdata.ts";

const parse = (text: string): Pipeline => {
  const parsed = parsePipeline(text, "f.yaml");
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems, text));
  return parsed.pipeline;
};
const told = (parsed: ParsedPipeline): string[] => (parsed.ok ? [] : parsed.problems.map((p) => `${p.line}:${p.col} ${p.code}`));
const codes = (text: string): string[] => told(parsePipeline(text, "f.yaml"));
const said = (text: string): string => {
  const parsed = parsePipeline(text, "f.yaml");
  return parsed.ok ? "" : parsed.problems.map((p) => `${p.message}. ${p.hint}`).join("\n");
};
const stepOf = (pipeline: Pipeline, path: string): Step => {
  const found = pipeline.steps.find((s) => s.path === path);
  if (!found) throw new Error(`no step ${path}`);
  return found;
};
const C = "command: x, readonly: true";

describe("what runs when", () => {
  test("on-failure waits for every normal step, finally for all but its like; explicit needs come first", () => {
    const p = parse(`steps:
  a: { ${C} }
  b: { ${C}, needs: a }
  alarm: { ${C}, on-failure: true }
  undo: { ${C}, on-failure: true, needs: a }
  clean: { ${C}, finally: true }
  close: { ${C}, finally: true, needs: b }
`);
    expect(p.steps.map((s) => [s.path, s.when, s.needs])).toEqual([
      ["a", undefined, []],
      ["b", undefined, ["a"]],
      ["alarm", "failed", ["a", "b"]],
      ["undo", "failed", ["a"]],
      ["clean", "always", ["a", "b", "alarm", "undo"]],
      ["close", "always", ["b"]],
    ]);
  });

  test("a step that waits for a finally step is not waited for by it", () => {
    const p = parse(`steps:\n  a: { ${C} }\n  clean: { ${C}, finally: true }\n  report: { ${C}, needs: clean }\n`);
    expect(stepOf(p, "clean").needs).toEqual(["a"]);
  });

  test("nothing to wait for, and both at once, are refused", () => {
    expect(codes(`steps: { a: { ${C}, on-failure: true } }`)).toEqual(["1:43 BAD_VALUE"]);
    expect(codes(`steps: { b: { ${C} }, a: { ${C}, on-failure: true, finally: true } }`)).toEqual(["1:78 BAD_VALUE"]);
  });

  test("conditions and may-fail", () => {
    const p = parse(
      `steps:\n  a: { ${C}, may-fail: true }\n  b: { ${C}, needs: a, if: "\${{ steps.a.outcome == 'failed' }}" }\n  c: { ${C}, if: true }`,
    );
    expect(stepOf(p, "a")).toMatchObject({ mayFail: true });
    expect(stepOf(p, "b").if).toBe("${{ steps.a.outcome == 'failed' }}");
    expect(stepOf(p, "c").if).toBe("true");
  });
});

describe("expressions are checked where they stand", () => {
  const one = (line: string): string[] =>
    codes(
      `inputs: { name: string, n: 3 }\nsecrets: [TOKEN]\nsteps:\n  first: { ${C} }\n  other: { ${C} }\n  a:\n    needs: first\n    readonly: true\n    ${line}\n`,
    );
  test.each([
    ['prompt: "${{ inputs.nme }}"', "9:18 UNKNOWN_VARIABLE"],
    ["prompt: say ${{ steps.first.output }} ${{ step.first }}", "9:47 UNKNOWN_VARIABLE"],
    ["prompt: ${{ steps.other.output }}", "9:17 NOT_A_NEED"],
    ["prompt: ${{ steps.a.output }}", "9:17 NOT_A_NEED"],
    ["prompt: ${{ steps.frist.output }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ steps.first.result }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ run.name }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ item }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ matrix.os }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ round }}", "9:17 UNKNOWN_VARIABLE"],
    ["prompt: ${{ now() }}", "9:17 BAD_EXPRESSION"],
    ["prompt: ${{ 1 + }}", "9:20 BAD_EXPRESSION"],
    ["prompt: ${{ inputs.name", "9:13 BAD_EXPRESSION"],
    ["prompt: ${{ secrets.TOKEN }}", "9:17 UNKNOWN_SECRET"],
    ["command: 'x ${{ secrets.TOKEN }}'", "9:21 UNKNOWN_SECRET"],
    ["prompt: x\n    env: { A: 'x ${{ secrets.TOKNE }}' }", "10:22 UNKNOWN_SECRET"],
    ["prompt: |\n      one\n      two ${{ inputs.nme }}", "11:15 UNKNOWN_VARIABLE"],
    ["prompt: >-\n      folded\n      ${{ inputs.name }} and\n      ${{ inputs.nme }}", "9:13 UNKNOWN_VARIABLE"],
    ['prompt: "a \\" b ${{ inputs.nme }}"', "9:13 UNKNOWN_VARIABLE"],
    ["command: echo `date` ${{ inputs.name }}", "9:30 UNSAFE_EXPRESSION"],
    ["command: ${{ inputs.name }} x", "9:18 UNSAFE_EXPRESSION"],
    ["command: sh -c ${{ inputs.name }}", "9:24 UNSAFE_EXPRESSION"],
    ["prompt: x\n    affinity: a${{ inputs.name }}", "10:16 EXPRESSION_NOT_HERE"],
    ["prompt: x\n    if: inputs.n", ""],
    ["prompt: x\n    if: inputs.n + 1", "10:9 BAD_EXPRESSION"],
    ["prompt: x\n    if: steps.other.outcome == 'failed'", "10:9 NOT_A_NEED"],
    ["prompt: x\n    if: a ${{ inputs.n }} b", "10:9 BAD_EXPRESSION"],
    ["prompt: x\n    outputs: ['../${{ inputs.name }}']", "10:15 BAD_PATH"],
    ["prompt: x\n    foreach: inputs.n == 3", "10:14 BAD_EXPRESSION"],
    ["prompt: ${{ item }}\n    foreach: '[item]'", "10:16 UNKNOWN_VARIABLE"],
    ["prompt: ${{ matrix.x }}\n    matrix: { y: [1] }", "9:17 UNKNOWN_VARIABLE"],
  ])("%s", (line, problem) => expect(one(line)).toEqual(problem === "" ? [] : [problem]));

  test("what a step may use: all that is over by then, under any id", () => {
    parse(
      `steps:\n  in: { ${C} }\n  my-step: { ${C}, needs: in }\n  "2": { prompt: "\${{ steps.in.outcome }} \${{ steps.my-step.summary }}", readonly: true, needs: my-step }\n`,
    );
  });

  test("the message says what to add", () => {
    expect(said(`steps:\n  a: { ${C} }\n  b: { prompt: "\${{ steps.a.output }}", readonly: true }`)).toContain(
      "`b` does not need `a`, which may not be over by then. Add `a` to `needs`",
    );
  });

  test("expressions for every step see no step; outputs see all; names are literal", () => {
    const rest = `\nsteps: { a: { ${C} } }`;
    expect(codes(`env: { A: "\${{ steps.a.summary }}" }${rest}`)).toEqual(["1:16 NOT_A_NEED"]);
    expect(codes(`outputs: { x: steps.a.output, y: steps.b.output }${rest}`)).toEqual(["1:34 UNKNOWN_VARIABLE"]);
    expect(codes(`name: "\${{ run.id }}"${rest}`)).toEqual(["1:8 EXPRESSION_NOT_HERE"]);
  });

  test("a text with $${{ is no expression, and means ${{", () => {
    const p = parse("steps: { a: { command: 'echo $${{ x }}', readonly: true, env: { A: '$${{ y }}' } } }");
    expect(p.steps[0]).toMatchObject({ command: "echo ${{ x }}", env: { A: "$${{ y }}" } });
    expect(p.steps[0]).not.toHaveProperty("dynamic");
  });

  test("an expression of hostile size is refused, not evaluated", () => {
    expect(codes(`steps: { a: { prompt: "\${{ ${"(".repeat(500)}1${")".repeat(500)} }}", readonly: true } }`)[0]).toContain(
      "BAD_EXPRESSION",
    );
    expect(codes(`steps: { a: { prompt: "\${{ ${"1+".repeat(2000)}1 }}", readonly: true } }`)[0]).toContain("BAD_EXPRESSION");
  });
});

describe("inputs", () => {
  test("a type alone is an input that must be given; a default brings its type", () => {
    const { inputs } = parse(
      `inputs: { a: string, b: { default: 3 }, c: { default: [x] }, d: { choices: [true] }, e: 1.5, f: [1] }\nsteps: { s: { ${C} } }`,
    );
    expect(inputs).toEqual({
      a: { type: "string" },
      b: { type: "number", default: 3 },
      c: { type: "list", default: ["x"] },
      d: { type: "boolean", choices: [true] },
      e: { type: "number", default: 1.5 },
      f: { type: "list", default: [1] },
    });
  });
  test.each([
    ["a: hello", "BAD_VALUE"],
    ["a: '3'", "BAD_VALUE"],
    ["'a-b': string", "BAD_ID"],
    ["in: string", "BAD_ID"],
    ["a: { type: text }", "BAD_VALUE"],
    ["a: { type: integer, default: 1.5 }", "BAD_INPUT"],
    ["a: { type: string, default: 1.10 }", "BAD_INPUT"],
    ["a: { default: c, choices: [a, b] }", "BAD_INPUT"],
    ["a: { type: string, choices: [1] }", "BAD_INPUT"],
    ["a: { defualt: 1 }", "UNKNOWN_KEY"],
    ["a: { required: true }", "UNKNOWN_KEY"],
  ])("%s", (input, code) => {
    const found = codes(`inputs: { ${input} }\nsteps: { s: { ${C} } }`);
    expect(found.length).toBe(1);
    expect(found[0]).toContain(code);
  });
});

describe("matrix and foreach", () => {
  const each = (line: string): string[] => codes(`inputs: { l: list }\nsteps:\n  a:\n    ${C.replace(", ", "\n    ")}\n    ${line}\n`);
  test.each([
    ["matrix: { os: [a, b] }", ""],
    ["matrix: { os: '${{ inputs.l }}' }", ""],
    ["foreach: [1, '${{ inputs.l }}', { a: 'x${{ run.id }}' }]", ""],
    ["matrix: { os: linux }", "6:19 WRONG_TYPE"],
    ["matrix: { os: [] }", "6:5 BAD_VALUE"],
    ["matrix: { a-b: [1] }", "6:15 BAD_ID"],
    ["matrix: { a: [1,2,3], b: [1,2,3] }\n    max: 8", "6:5 TOO_MANY_CHILDREN"],
    ["matrix: { a: [1,2,3], b: [1,2,3], exclude: [{a: 1}] }\n    max: 6", ""],
    ["foreach: [1, 2]\n    max: 1", "6:5 TOO_MANY_CHILDREN"],
    ["foreach: inputs.l\n    matrix: { a: [1] }", "6:5 BAD_VALUE"],
    ["max: 3", "6:5 BAD_VALUE"],
    ["parallel: 3", "6:5 BAD_VALUE"],
    ["max: 1001\n    foreach: inputs.l", "6:10 BAD_VALUE"],
  ])("%s", (line, problem) => expect(each(line)).toEqual(problem === "" ? [] : [problem]));

  test("approvals and questions stand once", () => {
    expect(said("steps: { a: { approve: x, foreach: '[1]' } }")).toContain("An approval stands once");
  });
});

describe("approvals and questions", () => {
  test("a title or a question is enough", () => {
    const p = parse(`steps:\n  w: { ${C} }\n  a: { approve: Ship it?, needs: w }\n  q: { ask: Which one? }`);
    expect(stepOf(p, "a")).toMatchObject({
      kind: "approve",
      title: "Ship it?",
      who: [],
      count: 1,
      onExpiry: "reject",
      rework: ["w"],
      readonly: true,
    });
    expect(stepOf(p, "q")).toMatchObject({ kind: "ask", question: "Which one?", choices: [] });
  });
  test.each([
    ["approve: { title: x, who: [a], count: 2 }", "BAD_VALUE"],
    ["approve: { title: x, on-expiry: approve }", "BAD_VALUE"],
    ["approve: { title: x, rework: [w] }", "NOT_A_NEED"],
    ["approve: { who: a }", "MISSING_KEY"],
    ["approve: ''", "BAD_VALUE"],
    ["approve: { title: x, approvers: [a] }", "UNKNOWN_KEY"],
    ["approve: x, outputs: [a]", "UNKNOWN_KEY"],
    ["ask: { question: x, default: a }", "BAD_VALUE"],
    ["ask: { question: x, after: 1h }", "BAD_VALUE"],
    ["ask: { question: x, choices: [a], default: b, after: 1h }", "BAD_VALUE"],
    ["ask: x, approve: y", "STEP_TWO_KINDS"],
  ])("%s", (line, code) => {
    const found = codes(`steps:\n  w: { ${C} }\n  a: { ${line} }\n`);
    expect(found.length, JSON.stringify(found)).toBe(1);
    expect(found[0]).toContain(code);
  });
});

describe("nested pipelines", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "stepfall-nested-"));
    mkdirSync(join(root, ".git"));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const write = (name: string, text: string): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };

  test("a file is embedded, its inputs checked, its secrets asked for", () => {
    write(
      "ci/sub.yaml",
      `inputs: { dir: string, n: { default: 1 } }\nsecrets: [T]\noutputs: { s: steps.one.summary }\nsteps: { one: { command: 'ls \${{ inputs.dir }}', readonly: true, env: { T: "\${{ secrets.T }}" } } }`,
    );
    const top = write(
      "p.yaml",
      `steps:\n  a: { ${C} }\n  sub: { needs: a, pipeline: ./ci/sub.yaml, with: { dir: "\${{ steps.a.summary }}" }, budget: 1 }\n`,
    );
    const parsed = loadPipeline(top);
    if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
    expect(Pipeline.parse(parsed.pipeline)).toEqual(parsed.pipeline);
    expect(parsed.pipeline.secrets).toEqual(["T"]);
    expect(stepOf(parsed.pipeline, "sub")).toMatchObject({
      kind: "group",
      dynamic: true,
      budget: 1_000_000,
      body: { kind: "pipeline", pipeline: { name: "sub", steps: [{ path: "one", dynamic: true }] } },
    });
  });

  test.each([
    ["with: { dri: x }", ["3:5 MISSING_INPUT", "3:13 BAD_INPUT"]],
    ["with: { dir: [a] }", ["3:18 BAD_INPUT"]],
    ["budget: 1", ["2:23 MISSING_INPUT"]],
  ])("what `with` gives must fit: %s", (line, problems) => {
    write("sub.yaml", `inputs: { dir: string }\nsteps: { one: { ${C} } }`);
    expect(told(loadPipeline(write("p.yaml", `steps:\n  sub: { needs: [],   pipeline: ./sub.yaml,\n    ${line} }\n`)))).toEqual(problems);
  });

  test("a fault inside a nested file is told with that file's name and place", () => {
    write("sub.yaml", `steps:\n  one: { ${C}, if: "steps.two.x" }\n`);
    const parsed = loadPipeline(write("p.yaml", "steps: { sub: { pipeline: sub.yaml } }"));
    expect(parsed).toMatchObject({ ok: false, problems: [{ file: join(root, "sub.yaml"), line: 2, code: "UNKNOWN_VARIABLE" }] });
  });

  test("files that nest each other are told by their path, and depth has a limit", () => {
    write("b.yaml", "steps: { x: { pipeline: ./a.yaml } }");
    const cycle = loadPipeline(write("a.yaml", "steps: { x: { pipeline: ./b.yaml } }"));
    expect(cycle).toMatchObject({
      problems: [{ code: "NESTED_CYCLE", message: [join(root, "a.yaml"), join(root, "b.yaml"), join(root, "a.yaml")].join(" -> ") }],
    });
    for (let i = 1; i < 9; i++) write(`d${i}.yaml`, `steps: { x: { pipeline: ./d${i + 1}.yaml } }`);
    write("d9.yaml", `steps: { x: { ${C} } }`);
    expect(loadPipeline(join(root, "d1.yaml"))).toMatchObject({ problems: [{ code: "NESTED_TOO_DEEP" }] });
    expect(loadPipeline(join(root, "d5.yaml"))).toMatchObject({ ok: true });
  });

  test("nothing outside the project is read, not through a link either", () => {
    const outside = mkdtempSync(join(tmpdir(), "stepfall-outside-"));
    try {
      writeFileSync(join(outside, "o.yaml"), `steps: { x: { ${C} } }`);
      symlinkSync(join(outside, "o.yaml"), join(root, "link.yaml"));
      for (const name of [`../${outside.split("/").at(-1) ?? ""}/o.yaml`, join(outside, "o.yaml"), "link.yaml"])
        expect(told(loadPipeline(write("p.yaml", `steps: { x: { pipeline: "${name}" } }`)))).toEqual(["1:25 NESTED_OUTSIDE"]);
    } finally {
      rmSync(outside, { recursive: true });
    }
    expect(told(loadPipeline(write("p.yaml", "steps: { x: { pipeline: ./no.yaml } }")))).toEqual(["1:25 FILE_MISSING"]);
    expect(codes("steps: { x: { pipeline: ./no.yaml } }")).toEqual(["1:25 NESTED_OUTSIDE"]);
  });

  test("a file that nests another many times over counts each time", () => {
    write("b.yaml", `steps:\n${Array.from({ length: 300 }, (_, i) => `  s${i}: { ${C} }\n`).join("")}`);
    const top = write("a.yaml", `steps:\n${Array.from({ length: 40 }, (_, i) => `  s${i}: { pipeline: b.yaml }\n`).join("")}`);
    expect(told(loadPipeline(top))[0]).toContain("TOO_MANY_STEPS");
  });

  test("steps in place have the file's defaults, see its inputs, and know only each other", () => {
    const p = parse(
      `inputs: { n: 1 }\nenv: { CI: "1" }\ndefaults: { setup: [npm ci] }\nsteps:\n  a: { ${C} }\n  g:\n    needs: a\n    env: { X: "2" }\n    with: { m: 2 }\n    steps:\n      b: { command: "x \${{ inputs.n }} \${{ inputs.m }}", readonly: true }\n`,
    );
    expect(stepOf(p, "g")).toMatchObject({
      env: { X: "2" },
      body: { with: { m: 2 }, pipeline: { steps: [{ env: { CI: "1" }, setup: ["npm ci"] }] } },
    });
    expect(
      codes(`steps:\n  a: { ${C} }\n  g:\n    needs: a\n    steps:\n      b: { prompt: "\${{ steps.a.summary }}", readonly: true }\n`),
    ).toEqual(["6:25 UNKNOWN_VARIABLE"]);
  });

  test("repeat until a command passes adds a readonly step that may fail", () => {
    const p = parse(
      `steps:\n  g:\n    repeat: { until: { command: npm test }, max: 3 }\n    steps:\n      a: { ${C} }\n      b: { ${C}, finally: true }\n`,
    );
    expect(stepOf(p, "g")).toMatchObject({
      body: {
        repeat: { until: 'steps.until.outcome == "succeeded"', most: 3 },
        pipeline: {
          steps: [{ path: "a" }, { path: "b" }, { path: "until", command: "npm test", readonly: true, mayFail: true, needs: ["a"] }],
        },
      },
    });
    expect(codes(`steps:\n  g:\n    repeat: { until: { command: npm test }, max: 3 }\n    steps:\n      until: { ${C} }\n`)).toEqual([
      "3:22 BAD_ID",
    ]);
    expect(codes(`steps:\n  g:\n    repeat: { until: steps.a.outcme == 'x', max: 3 }\n    steps:\n      a: { ${C} }\n`)).toEqual([
      "3:22 UNKNOWN_VARIABLE",
    ]);
    expect(codes(`steps:\n  g:\n    repeat: { until: "true" }\n    steps:\n      a: { ${C} }\n`)).toEqual(["3:13 MISSING_KEY"]);
  });
});

test("the file with every key is a pipeline of the domain, and needs no more than its own words", () => {
  const p = parse(WHOLE);
  expect(Pipeline.parse(p)).toEqual(p);
  expect(p.steps.map((s) => s.kind)).toEqual([
    "agent",
    "command",
    "agent",
    "group",
    "group",
    "approve",
    "group",
    "ask",
    "command",
    "command",
  ]);
});
