import { describe, expect, test } from "vitest";
import type { Gate, GateOf } from "../../domain/index.ts";
import { judged, LARGE, LINK, type Files, type Judging } from "./gates.testkit.ts";

const diff = (fields: Partial<GateOf<"diff">>): Gate => ({ kind: "diff", name: "small", ...fields });
const coverage = (...allowed: string[]): Gate => ({ kind: "coverage", name: "coverage", allowed });
const said = async (judging: Judging): Promise<string[]> => (await judged(judging)).findings.map((f) => `${f.gate}: ${f.message}`);

describe("diff", () => {
  const before = { "a.txt": "1\n2", "b.txt": "x" };
  const after = { "a.txt": "1", "src/new.ts": "a" };

  test("too many files, too many lines, files outside and forbidden ones are told together", async () => {
    const gates = [diff({ mostFiles: 2, mostLines: 4, allowed: ["src", "a.txt"], forbidden: ["**/*.ts"] })];
    expect(await said({ gates, before, after })).toEqual([
      "small: 3 files changed, and at most 2 may; 5 lines changed (added and removed), and at most 4 may; only src, a.txt may change, and b.txt did; src/new.ts may not change",
    ]);
  });

  test("what is just allowed passes, and the evidence has every file with its lines", async () => {
    const gates = [diff({ mostFiles: 3, mostLines: 5, allowed: ["*.txt", "src/"] })];
    const end = await judged({ gates, before, after });
    expect(end.gates).toEqual([
      { name: "small", kind: "diff", verdict: "passed", durationMs: 7, evidence: "a.txt +1 -2\nb.txt +0 -1\nsrc/new.ts +1 -0" },
    ]);
    expect(end.findings).toEqual([]);
  });

  test("it says nothing of a merged tree, where others' changes are not this attempt's", async () => {
    expect(await judged({ gates: [diff({ mostFiles: 0 }), coverage()], before, after, phase: "merge" })).toEqual({
      gates: [],
      findings: [],
      aborted: false,
    });
  });
});

describe("coverage", () => {
  const cover = (after: Files, outputs: string[], more: Partial<Judging> = {}): Promise<string[]> =>
    said({
      gates: [coverage()],
      before: { "old.md": "# Old\nText\n" },
      after: { "old.md": "# Old\nText\n", ...after },
      step: { outputs: { files: outputs } },
      ...more,
    });

  test("an output that was there before and was not changed is not this attempt's work", async () => {
    expect(await cover({ "new.md": "# New\nText\n" }, ["old.md", "new.md"])).toEqual([
      "coverage: declared output old.md was not created or changed by this attempt",
    ]);
  });

  test.each([
    ["empty", "a.md", " \n", "a.md: it is empty"],
    ["only a promise", "a.md", "# Report\n\nTODO: write this\n", "a.md: it is only a promise"],
    ["only dots", "a.py", "...\n", "a.py: it is only a promise"],
    [
      "functions without bodies",
      "a.py",
      "import os\n\n\ndef f(x):\n    ...\n\n\ndef g():\n    pass\n",
      "a.py: all its functions have empty bodies",
    ],
    [
      "a comment where code was",
      "a.ts",
      "export const a = 1;\n// ... rest of the code remains the same\n",
      "a.ts: it leaves something out: `// ... rest of the code",
    ],
    ["comments that say what is to be done", "a.ts", "// TODO: implement the parser\n", "a.ts: it is only a promise"],
  ])("an output that is %s is refused", async (_, path, text, message) => {
    expect(await cover({ [path]: text }, [path])).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    ["a TODO beside code", "a.ts", "// TODO: faster\nexport const a = 1;\n"],
    ["an empty package file", "pkg/__init__.py", ""],
    ["a protocol", "a.py", "from typing import Protocol\nclass A(Protocol):\n    def f(self): ...\n    def g(self):\n        ...\n"],
    ["one function that passes among others", "a.py", "def f():\n    pass\n\ndef g():\n    return 1\n"],
    ["comments alone that promise nothing", "LICENSE.txt", "# MIT\n"],
    ["a spread", "a.ts", "export const a = [\n  ...existing,\n];\n"],
    ["a heading and a line", "a.md", "# A\nDone.\n"],
    ["bytes", "a.bin", "\0"],
    ["a link", "latest.md", `${LINK}v1.md`],
    ["much", "a.csv", LARGE],
  ])("%s is work", async (_, path, text) => expect(await cover({ [path]: text }, [path])).toEqual([]));

  test("a comment that left something out before is not this attempt's", async () => {
    const before = { "a.py": "# ... existing code\nx = 1\n" };
    expect(
      await said({
        gates: [coverage()],
        before,
        after: { "a.py": "# ... existing code\nx = 2\n" },
        step: { outputs: { files: ["a.py"] } },
      }),
    ).toEqual([]);
  });

  test("of a glob one file must be work", async () => {
    expect(await cover({ "d/a.md": "", "d/b.md": "Text\n" }, ["d/*.md"])).toEqual([]);
    expect(await cover({ "d/a.md": "", "d/b.md": "TODO\n" }, ["d/*.md"])).toEqual([
      "coverage: no file of the declared output d/*.md holds work: d/a.md: it is empty",
    ]);
  });

  test("nothing changes beside outputs, touches and what the gate allows", async () => {
    const after = { "a.md": "Text\n", "src/x.ts": "1", "docs/y.md": "2", "z.txt": "3" };
    const step = { outputs: { files: ["a.md"] }, touches: ["src/**"] };
    expect(await said({ gates: [coverage("docs")], after, step })).toEqual([
      "coverage: z.txt changed, which is none of the step's outputs or `touches`",
    ]);
    expect(await said({ gates: [coverage("**")], after, step })).toEqual([]);
  });
});

describe("schema", () => {
  const schema = { type: "object", required: ["name"], properties: { name: { type: "string" } } };
  const gate = (files: string[], of: GateOf<"schema">["schema"] = { inline: schema }): Gate => ({
    kind: "schema",
    name: "shape",
    files,
    schema: of,
  });

  test("every JSON and YAML file is held against it, each document of it", async () => {
    const after = { "a.json": '{"name":"x"}', "b.json": '{"name":1}', "c.yaml": "name: x\n---\nnome: y\n", "d.json": "{" };
    const end = await judged({ gates: [gate(["*.json", "*.yaml"])], after });
    expect(end.findings).toEqual([
      {
        gate: "shape",
        message: "b.json, c.yaml, d.json do not satisfy the schema of the gate",
        evidence: expect.stringContaining(
          "b.json: /name must be string\nc.yaml: document 2: the value must have required property 'name'\nd.json: it is not JSON",
        ) as string,
      },
    ]);
    expect(await said({ gates: [gate(["a.json"])], after })).toEqual([]);
  });

  test("a file of the commit it started from, whatever the attempt made of it", async () => {
    const before = { "s.yaml": JSON.stringify(schema) };
    const after = { "s.yaml": "{}", "a.json": "{}" };
    expect(await said({ gates: [gate(["a.json"], { file: "s.yaml" })], before, after })).toEqual(["shape: a.json does not satisfy s.yaml"]);
  });

  test("a link and a file that is too large are refused, not passed over", async () => {
    const end = await judged({ gates: [gate(["*.json"])], after: { "a.json": `${LINK}b`, "b.json": LARGE } });
    expect(end.findings[0]?.evidence).toBe("a.json: it is a link\nb.json: it is too large to be looked into");
  });

  test("no file, no schema and no valid schema are never a pass", async () => {
    expect(await said({ gates: [gate(["x/*.json"])], after: {} })).toEqual(["shape: no file matches x/*.json"]);
    expect(await said({ gates: [gate(["a.json"], { file: "s.json" })], after: { "a.json": "{}", "s.json": "{}" } })).toEqual([
      "shape: the schema s.json does not exist where the attempt started",
    ]);
    const end = await judged({ gates: [gate(["a.json"], { inline: { type: "nonsense" } })], after: { "a.json": "{}" } });
    expect(end.gates[0]).toMatchObject({ verdict: "errored" });
    expect(end.findings[0]?.message).toContain("is not a valid JSON Schema");
  });

  test("a file that is nested too deep to be read is refused", async () => {
    const deep = "[".repeat(10_000) + "]".repeat(10_000);
    for (const path of ["a.json", "a.yaml"]) {
      const found = await said({ gates: [gate([path])], after: { [path]: deep } });
      expect(found, path).toEqual([`shape: ${path} does not satisfy the schema of the gate`]);
    }
  });

  test("YAML whose aliases grow without bound is refused, not expanded", async () => {
    const bomb = [
      "a: &a [x, x, x, x, x, x, x, x, x]",
      ..."bcdefgh".split("").map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]}, `.repeat(9)}]`),
    ].join("\n");
    expect(await said({ gates: [gate(["a.yaml"])], after: { "a.yaml": bomb } })).toEqual([
      "shape: a.yaml does not satisfy the schema of the gate",
    ]);
  });
});

describe("syntax", () => {
  const syntax = (fields: Partial<GateOf<"syntax">> = {}): Gate => ({ kind: "syntax", name: "syntax", except: [], ...fields });

  test("a change that breaks a file is refused with place and line; one that was broken and is no worse is not", async () => {
    const before = { "ok.py": "def f():\n    return 1\n", "bad.py": "x = (1,\ny = 2\n" };
    const after = { "ok.py": "def f(:\n    return 1\n", "bad.py": "x = (1,\ny = 3\n", "new.json": "{ a: 1 }", "notes.md": "(((" };
    const end = await judged({ gates: [syntax()], before, after });
    expect(end.findings).toEqual([
      {
        gate: "syntax",
        message: "new.json, ok.py cannot be parsed after this change",
        evidence: expect.stringContaining("ok.py:1: Python: `)` is missing\n    def f(:") as string,
      },
    ]);
    expect(end.findings[0]?.evidence).not.toContain("bad.py");
    expect(end.gates).toMatchObject([{ kind: "syntax", verdict: "refused" }]);
  });

  test("files and except choose; what cannot be checked is named", async () => {
    const after = { "a.js": "(", "test/broken.js": "(", "c.yaml": "{% x %}\na: [" };
    expect(await said({ gates: [syntax({ files: ["test"], except: [] })], after })).toEqual([
      "syntax: test/broken.js cannot be parsed after this change",
    ]);
    expect(await said({ gates: [syntax({ except: ["**/*.js"] })], after })).toEqual([]);
    const end = await judged({ gates: [syntax({ except: ["**/*.js"] })], after });
    expect(end.gates[0]?.evidence).toBe("0 files parsed\nnot checked: c.yaml (a template)");
  });

  test("a link is no text of the language its name says; what is too large is said to be unchecked", async () => {
    const end = await judged({ gates: [syntax()], after: { "a.json": `${LINK}b.json`, "c.js": LARGE } });
    expect(end.gates).toMatchObject([{ verdict: "passed", evidence: "0 files parsed\nnot checked: c.js (larger than 512 kB)" }]);
  });

  test("a deleted file is no broken one", async () => {
    expect(await said({ gates: [syntax()], before: { "a.js": "1;" }, after: {} })).toEqual([]);
  });

  test("a merged tree is parsed too", async () => {
    expect(await said({ gates: [syntax()], phase: "merge", before: { "a.js": "1;" }, after: { "a.js": "1(;" } })).toHaveLength(1);
  });
});

test("a judge gate that nobody runs is refused, never passed; what one costs is recorded", async () => {
  const gate: Gate = { kind: "judge", name: "taste", criteria: [], judges: [], timeoutMs: 1 };
  expect(await judged({ gates: [gate], after: {} })).toMatchObject({
    gates: [{ kind: "judge", verdict: "errored" }],
    findings: [{ message: "nobody is there to ask judges" }],
  });
  const judge = async () => ({ verdict: "refused" as const, message: "tests: 3 of 10", microUsd: 12 });
  expect(await judged({ gates: [gate], after: {}, judge })).toMatchObject({
    gates: [{ kind: "judge", verdict: "refused", microUsd: 12 }],
    findings: [{ gate: "taste", message: "tests: 3 of 10" }],
  });
});

test("judges are asked last, and not at all where another gate refused already", async () => {
  const gate: Gate = { kind: "judge", name: "taste", criteria: [], judges: [], timeoutMs: 1 };
  const files: Gate = { kind: "files", name: "f", files: ["a.md"] };
  const judge = async () => ({ verdict: "passed" as const });
  const end = await judged({ gates: [gate, files], after: { "a.md": "1" }, judge });
  expect(end.gates.map((g) => [g.name, g.verdict])).toEqual([
    ["f", "passed"],
    ["taste", "passed"],
  ]);
  expect((await judged({ gates: [gate, files], after: {}, judge })).gates.map((g) => g.name)).toEqual(["f"]);
});

test("all gates run, also after one has refused, each with the time it took", async () => {
  const gates: Gate[] = [
    { kind: "command", name: "c", command: "make", timeoutMs: 1000 },
    { kind: "files", name: "f", files: ["a.md", "b.md"] },
    diff({ mostFiles: 0 }),
  ];
  const end = await judged({ gates, after: { "a.md": "1" }, does: { after: () => ({ code: 3, tail: "no rule" }) } });
  expect(end.gates.map((g) => [g.name, g.verdict, g.durationMs])).toEqual([
    ["c", "refused", 5],
    ["f", "refused", 7],
    ["small", "refused", 7],
  ]);
  expect(end.findings).toEqual([
    { gate: "c", message: "`make` exits 3", evidence: "no rule" },
    { gate: "f", message: "b.md does not exist in the attempt's commit" },
    { gate: "small", message: "1 file changed, and at most 0 may", evidence: "a.md +1 -0" },
  ]);
});
