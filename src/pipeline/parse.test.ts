import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pipeline } from "../domain/index.ts";
import { formatProblems, loadPipeline, parsePipeline, type PipelineProblem } from "./index.ts";
import { WHOLE } from "./whole.testdata.ts";

const parse = (text: string, file = "f.yaml"): Pipeline => {
  const parsed = parsePipeline(text, file);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems, text));
  return parsed.pipeline;
};
const problemsOf = (text: string): PipelineProblem[] => {
  const parsed = parsePipeline(text, "f.yaml");
  return parsed.ok ? [] : parsed.problems;
};
const codes = (text: string): string[] => problemsOf(text).map((p) => `${p.line}:${p.col} ${p.code}`);
/** Problems of one step whose only fault is the line given. */
const step = (line: string): PipelineProblem[] => problemsOf(`steps:\n  a:\n    prompt: x\n    readonly: true\n    ${line}\n`);

describe("a valid pipeline", () => {
  test("has every key understood and every default filled in", () => {
    const pipeline = parse(WHOLE);
    expect({ ...pipeline, steps: pipeline.steps.slice(0, 3) }).toEqual({
      name: "fix-and-verify",
      description: "Fixes it",
      budget: 500_000,
      inputs: {
        title: { type: "string" },
        dirs: { type: "list", default: ["a", "b"], description: "Where" },
        level: { type: "number", default: 1, choices: [1, 2] },
      },
      secrets: ["TOKEN"],
      outputs: { all: "steps.each.output" },
      steps: [
        {
          kind: "agent",
          path: "fix",
          prompt: "Fix sum()\n",
          agent: { id: "coder", tier: "weak", capability: ["web_search"] },
          needs: [],
          readonly: false,
          outputs: { files: ["src/sum.js"], json: { file: "plan.json", schema: { type: "object" } } },
          gates: [
            { kind: "command", name: "node --test", command: "node --test", timeoutMs: 600_000 },
            { kind: "command", name: "unit tests", command: "npm test", timeoutMs: 120_000 },
            { kind: "files", name: "files: docs/x.md", files: ["docs/x.md"] },
            { kind: "command", name: "node --test (2)", command: "node --test", timeoutMs: 600_000 },
          ],
          setup: [],
          teardown: ["dropdb x"],
          retry: { attempts: 4, backoffMs: 5000 },
          timeoutMs: 90_000,
          env: { CI: "2", VERSION: "1.10", DEBUG: "true", A: "1" },
          budget: 100_000,
          touches: ["src/**"],
          priority: 5,
          affinity: "frontend",
          protected: [],
        },
        expect.objectContaining({
          kind: "command",
          path: "2",
          command: "npm run lint",
          needs: ["fix"],
          readonly: true,
          setup: ["npm ci"],
          teardown: ["docker compose down"],
          retry: { attempts: 2, backoffMs: 0 },
          timeoutMs: 600_000,
          protected: ["test/**"],
        }),
        expect.objectContaining({ path: "docs", needs: ["2", "fix"], agent: { id: "coder", capability: [] } }),
      ],
    });
    expect(Pipeline.parse(pipeline)).toEqual(pipeline);
  });

  test("without a word about them has 30 minutes, any agent, and no protected list of its own", () => {
    const [a] = parse("steps: { a: { prompt: x, readonly: true } }").steps;
    expect(a).toMatchObject({
      timeoutMs: 1_800_000,
      retry: { attempts: 3, backoffMs: 0 },
      agent: { capability: [] },
      priority: 0,
      setup: [],
      env: {},
    });
    expect(a).not.toHaveProperty("protected");
  });

  test("tries a command once and an agent three times, unless the step or the file says otherwise", () => {
    const attempts = (more: string): number[] =>
      parse(`${more}steps:\n  c: { command: x, readonly: true }\n  a: { prompt: x, readonly: true }\n`).steps.map((s) => s.retry.attempts);
    expect(attempts("")).toEqual([1, 3]);
    expect(attempts("defaults: { retry: 2 }\n")).toEqual([2, 2]);
  });

  test("is called after its file", () => {
    expect(parse("steps: { a: { command: x, readonly: true } }", "ci/my-fix.yml").name).toBe("my-fix");
  });

  test("may use anchors and merges", () => {
    const steps = parse("steps:\n  a: &a { command: x, readonly: true }\n  b: { <<: *a, needs: a }\n").steps;
    expect(steps[1]).toMatchObject({ command: "x", needs: ["a"] });
  });
});

describe("teardown", () => {
  test("a step's own replaces that of defaults, and [] turns it off", () => {
    const steps = parse(
      "defaults: { teardown: [a] }\nsteps:\n  x: { command: x, readonly: true }\n  y: { command: x, readonly: true, teardown: [b] }\n  z: { command: x, readonly: true, teardown: [] }\n",
    ).steps;
    expect(steps.map((s) => s.teardown)).toEqual([["a"], ["b"], undefined]);
  });
  test("values reach it as one word, like those of any command", () => {
    expect(step('teardown: ["dropdb ${{ inputs.nope }}"]')).toMatchObject([{ line: 5, code: "UNKNOWN_VARIABLE" }]);
    expect(step("after_script: [x]")).toMatchObject([{ code: "UNKNOWN_KEY", hint: "Did you mean `teardown`?" }]);
    expect(codes("teardown: [x]\nsteps: { a: { command: x, readonly: true } }\n")).toEqual(["1:1 UNKNOWN_KEY"]);
  });
});

describe("the completion contract", () => {
  test.each(["prompt", "command"])("a step with a %s and nothing that tells when it is done is refused", (kind) => {
    expect(codes(`steps:\n  a:\n    ${kind}: x\n`)).toEqual(["2:3 STEP_NO_CONTRACT"]);
    for (const nothing of ["outputs: []", "gates: []", "readonly: false", "outputs: { files: [] }", "outputs: {}"]) {
      expect(codes(`steps:\n  a:\n    ${kind}: x\n    ${nothing}\n`)).toEqual(["2:3 STEP_NO_CONTRACT"]);
    }
    for (const contract of ["outputs: [a]", "gates: [x]", "readonly: true", "outputs: { json: { file: a, schema: {} } }"]) {
      expect(codes(`steps:\n  a:\n    ${kind}: x\n    ${contract}\n`)).toEqual([]);
    }
  });
});

describe("what a later version brings is answered by name", () => {
  test("the step kind loop", () => {
    expect(codes("steps:\n  a:\n    loop: x\n")).toEqual(["3:5 NOT_SUPPORTED_YET"]);
  });
  test.each(["on", "finally", "phases"])("the key %s at the top", (key) => {
    expect(codes(`${key}: x\nsteps: { a: { command: x, readonly: true } }`)).toEqual(["1:1 NOT_SUPPORTED_YET"]);
  });
});

describe("problems", () => {
  test.each([
    ["run: npm test", "command"],
    ["depends_on: [b]", "needs"],
    ["dependsOn: [b]", "needs"],
    ["retries: 3", "retry"],
    ["promt: x", "prompt"],
    ["time_out: 3", "timeout"],
    ["artifacts: [a]", "outputs"],
  ])("%s: did you mean %s?", (line, meant) => {
    expect(step(line)).toMatchObject([{ line: 5, col: 5, code: "UNKNOWN_KEY", hint: `Did you mean \`${meant}\`?` }]);
  });

  test("`run` instead of `command` is one problem, not three", () => {
    expect(codes("steps:\n  a:\n    run: npm test\n    readonly: true\n")).toEqual(["3:5 UNKNOWN_KEY"]);
    expect(codes("stepz: {}\n")).toEqual(["1:1 UNKNOWN_KEY", "1:1 NO_STEPS"]);
    expect(codes("jobs: {}\n")).toEqual(["1:1 UNKNOWN_KEY"]);
  });

  test("keys that belong elsewhere are sent there", () => {
    expect(problemsOf("agents: {}\nsteps: { a: { command: x, readonly: true } }")).toMatchObject([
      { code: "UNKNOWN_KEY", hint: expect.stringContaining("stepfall.yaml") as string },
    ]);
    expect(step("description: x")).toMatchObject([{ hint: "A step has none: use a comment (`# ...`)" }]);
    expect(step("tier: mid")).toMatchObject([{ hint: "Write `agent: { tier: mid }`" }]);
    expect(codes("steps: { a: { command: x, readonly: true, agent: coder } }")).toEqual(["1:43 UNKNOWN_KEY"]);
  });

  test.each([
    ["timeout: 10 min", "5:14 BAD_DURATION"],
    ["timeout: 0", "5:14 BAD_DURATION"],
    ["timeout: 365d", "5:14 BAD_DURATION"],
    ["timeout: [1]", "5:14 WRONG_TYPE"],
    ["timeout:", "5:5 WRONG_TYPE"],
    ["budget: -1", "5:13 BAD_MONEY"],
    ["budget: lots", "5:13 BAD_MONEY"],
    ["retry: 0", "5:12 BAD_VALUE"],
    ["retry: 1.5", "5:12 WRONG_TYPE"],
    ["retry: { attempts: many }", "5:24 WRONG_TYPE"],
    ["retry: { max: 3 }", "5:14 UNKNOWN_KEY"],
    ["outputs: [/etc/x]", "5:15 BAD_PATH"],
    ["outputs: ['../x']", "5:15 BAD_PATH"],
    ["touches: ['~/x']", "5:15 BAD_PATH"],
    ["protected: ['a[']", "5:17 BAD_PATH"],
    ["outputs: src/a.js", "5:14 WRONG_TYPE"],
    ["outputs: { json: { file: 'a/*.json', schema: {} } }", "5:30 BAD_PATH"],
    ["outputs: { json: { file: a.json, schema: { type: objekt } } }", "5:46 BAD_JSON_SCHEMA"],
    ["outputs: { json: { file: a.json, schema: { $ref: 'http://x/y' } } }", "5:46 BAD_JSON_SCHEMA"],
    ["outputs: { json: { file: a.json } }", "5:22 MISSING_KEY"],
    ["gates: npm test", "5:12 WRONG_TYPE"],
    ["gates: ['']", "5:13 BAD_VALUE"],
    ["gates: [5]", "5:13 WRONG_TYPE"],
    ["gates: [{ comand: x }]", "5:15 UNKNOWN_KEY"],
    ["gates: [{ command: x, timeout: y }]", "5:36 BAD_DURATION"],
    ["gates: [{ files: [] }]", "5:22 BAD_VALUE"],
    ["gates: [{ command: x, name: n }, { files: [a], name: n }]", "5:58 BAD_VALUE"],
    ["agent: { tier: in the middle }", "5:20 BAD_VALUE"],
    ["agent: [a]", "5:12 WRONG_TYPE"],
    ["env: { '1A': x }", "5:12 BAD_ID"],
    ["env: { A: [] }", "5:15 WRONG_TYPE"],
    ["env: { A: }", "5:12 WRONG_TYPE"],
    ["env: { OPENAI_API_KEY: abc }", "5:12 LITERAL_SECRET"],
    ["env: { MY_TOKEN: abc }", "5:12 LITERAL_SECRET"],
    ["env: { DB_PASSWORD: abc }", "5:12 LITERAL_SECRET"],
    ["env: { X: sk-aaaaaaaaaaaaaaaaaaaaaa }", "5:12 LITERAL_SECRET"],
    ["priority: high", "5:15 WRONG_TYPE"],
    ["needs: { a: b }", "5:12 WRONG_TYPE"],
    ["needs: [1]", "5:13 WRONG_TYPE"],
    ["__proto__: { a: 1 }", "5:5 RESERVED_KEY"],
    ["timeout: 5m\n    timeout: 6m", "6:5 DUPLICATE_KEY"],
  ])("%s", (line, problem) => expect(step(line).map((p) => `${p.line}:${p.col} ${p.code}`)).toEqual([problem]));

  test("names that merely end like secrets, and emptied secrets, are fine", () => {
    expect(step('env: { MAX_TOKENS: "100", CACHE_KEY: v1, GITHUB_TOKEN: "" }')).toEqual([]);
  });

  test("a wrong type says what was expected and what was found", () => {
    expect(step("timeout: [1]")[0]?.message).toBe(
      "steps.a.timeout: expected a duration such as 500ms, 30s, 10m, 2h, 1h30m or a number of seconds, found a list",
    );
  });

  test.each([
    ["", "1:1 PIPELINE_EMPTY"],
    ["# only a comment\n", "1:1 PIPELINE_EMPTY"],
    ["- a", "1:1 NOT_A_MAP"],
    ["name: x", "1:1 NO_STEPS"],
    ["steps:", "1:1 NO_STEPS"],
    ["steps: {}", "1:8 NO_STEPS"],
    ["steps: [{ id: a }]", "1:8 WRONG_TYPE"],
    ["steps: { a: }", "1:10 WRONG_TYPE"],
    ["steps: { a: { readonly: true } }", "1:10 STEP_NO_KIND"],
    ["steps: { a: { readonly: true, prompt: x, command: y } }", "1:42 STEP_TWO_KINDS"],
    ["steps: { A b: { readonly: true, prompt: x } }", "1:10 BAD_ID"],
    ["steps: { a: { readonly: true, prompt: '' } }", "1:39 BAD_VALUE"],
  ])("%j", (text, problem) => expect(codes(text)).toEqual([problem]));

  test("whoever wants a person asked finds out how, whatever they write", () => {
    expect(problemsOf("steps: { a: { approval: Release? } }")).toMatchObject([{ code: "UNKNOWN_KEY", hint: "Did you mean `approve`?" }]);
    expect(problemsOf("steps: { a: { type: manual, prompt: x, readonly: true } }")).toMatchObject([
      { code: "BAD_VALUE", hint: expect.stringContaining("`approve: What is to be agreed to?`") },
    ]);
    expect(problemsOf("steps: { a: { needs: [] } }")[0]).toMatchObject({
      code: "STEP_NO_KIND",
      hint: expect.stringMatching(/prompt.*command.*approve.*ask/),
    });
    expect(problemsOf("steps: { a: { type: cooking, prompt: x, readonly: true } }")).toMatchObject([{ hint: "Write one of them" }]);
  });

  test("a step given twice names both places", () => {
    const [problem] = problemsOf("steps:\n  a: { command: x, readonly: true }\n  a: { command: y, readonly: true }\n");
    expect(problem).toMatchObject({
      line: 3,
      col: 3,
      code: "DUPLICATE_KEY",
      message: "`a` is given twice, on line 2 and line 3",
    });
  });

  test("needs that lead nowhere, to themselves, or round in a circle", () => {
    const text =
      "steps:\n  build: { command: x, readonly: true, needs: [tset] }\n  test: { command: x, readonly: true, needs: test }\n  c: { command: x, readonly: true, needs: [d] }\n  d: { command: x, readonly: true, needs: [c] }\n";
    expect(problemsOf(text)).toMatchObject([
      { line: 2, col: 48, code: "UNKNOWN_NEED", hint: "Did you mean `test`?" },
      { line: 3, col: 46, code: "SELF_NEED" },
      { line: 4, col: 44, code: "PIPELINE_CYCLE", message: "c -> d -> c", hint: "Remove one of these needs" },
    ]);
  });

  test("all are reported at once, in the order of the file", () => {
    const text = "bugdet: 1\nsteps:\n  a: { prompt: x, needs: [b], timeout: y }\n  b: { comand: x, needs: [a, zz], readonly: 5 }\n";
    expect(codes(text)).toEqual([
      "1:1 UNKNOWN_KEY",
      "3:3 STEP_NO_CONTRACT",
      "3:27 PIPELINE_CYCLE",
      "3:40 BAD_DURATION",
      "4:3 STEP_NO_KIND",
      "4:8 UNKNOWN_KEY",
      "4:30 UNKNOWN_NEED",
      "4:45 WRONG_TYPE",
    ]);
  });

  test("a refused secret is not printed", () => {
    const text = "steps:\n  a: { command: x, readonly: true, env: { A_TOKEN: hunter22-literal }, x: 1 }\n";
    const shown = formatProblems(problemsOf(text), text);
    expect(shown).toContain("LITERAL_SECRET");
    expect(shown).not.toContain("hunter22");
  });

  test("more than 10,000 steps are refused, 10,000 in one chain are not", () => {
    const chain = (n: number): string =>
      `steps:\n${Array.from({ length: n }, (_, i) => ` s${i}: {command: x, readonly: true${i > 0 ? `, needs: s${i - 1}` : ""}}\n`).join("")}`;
    expect(codes(chain(10_001))).toEqual(["1:1 TOO_MANY_STEPS"]);
    expect(parse(chain(10_000)).steps.length).toBe(10_000);
    expect(codes(chain(5000).replace("true}", "true, needs: s4999}"))).toEqual([expect.stringContaining("PIPELINE_CYCLE")]);
  });
});

test("a file is loaded from disk; one that is not there is a problem like any other", () => {
  const root = mkdtempSync(join(tmpdir(), "stepfall-pipeline-"));
  try {
    writeFileSync(join(root, "p.yaml"), WHOLE);
    expect(loadPipeline(join(root, "p.yaml"))).toMatchObject({ ok: true, pipeline: { name: "fix-and-verify" } });
    expect(loadPipeline(join(root, "q.yaml"))).toMatchObject({ ok: false, problems: [{ code: "FILE_MISSING", line: 0 }] });
    expect(loadPipeline(root)).toMatchObject({ ok: false, problems: [{ code: "FILE_IS_FOLDER" }] });
    writeFileSync(join(root, "big.yaml"), "#".repeat(1024 * 1024 + 1));
    expect(loadPipeline(join(root, "big.yaml"))).toMatchObject({ ok: false, problems: [{ code: "FILE_TOO_LARGE" }] });
  } finally {
    rmSync(root, { recursive: true });
  }
});
