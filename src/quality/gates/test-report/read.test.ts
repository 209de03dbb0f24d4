import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readReport, type TestOutcomes } from "./read.ts";

const entries = (outcomes: TestOutcomes | undefined): Record<string, string> | undefined => outcomes && Object.fromEntries(outcomes);

describe("junit", () => {
  test("suites in suites, failures, errors and skipped tests, in several files", () => {
    const a = `<?xml version="1.0"?>
<testsuites name="all"><testsuite name="outer">
  <testcase classname="tests.A" name="adds &amp; sums" time="0.1"/>
  <testcase name="without a class"><failure message="no">1 &lt; 2</failure></testcase>
  <testsuite name="inner"><testcase name="deep"><skipped/></testcase></testsuite>
</testsuite></testsuites>`;
    const b = `<testsuite name="B"><testcase classname="B" name="1"><error type="x"/></testcase><testcase classname="B" name="2"><system-out><![CDATA[<failure>]]></system-out></testcase></testsuite>`;
    expect(entries(readReport("junit", [a, b]))).toEqual({
      "tests.A > adds & sums": "passed",
      "outer > without a class": "failed",
      "inner > deep": "skipped",
      "B > 1": "failed",
      "B > 2": "passed",
    });
  });

  test("of two tests of one name the worse outcome counts", () => {
    const text = '<testsuite name="s"><testcase name="t"/><testcase name="t"><failure/></testcase><testcase name="t"/></testsuite>';
    expect(entries(readReport("junit", [text]))).toEqual({ "s > t": "failed" });
  });

  test("a report without a test is a report; anything else is none", () => {
    expect(entries(readReport("junit", ["<testsuites/>"]))).toEqual({});
    for (const text of ["", "<html/>", "{}", "<testsuite", "plain"]) expect(readReport("junit", [text]), text).toBeUndefined();
  });
});

test("tap: nested subtests by their full names, what is skipped or yet to be done", () => {
  const text = `TAP version 13
# Subtest: outer
    ok 1 - a
    # Subtest: mid
        not ok 1 - b
        1..1
    not ok 2 - mid
    1..2
not ok 1 - outer
ok 2 - c # SKIP no disk
not ok 3 - d # TODO later
1..3
`;
  expect(entries(readReport("tap", [text]))).toEqual({
    "outer > a": "passed",
    "outer > mid > b": "failed",
    "outer > mid": "failed",
    outer: "failed",
    c: "skipped",
    d: "passed",
  });
  expect(readReport("tap", ["no tests here\n"])).toBeUndefined();
});

test("json of Jest and Vitest, with lines of others around it", () => {
  const report = {
    testResults: [
      {
        name: "src/a.test.ts",
        assertionResults: [
          { ancestorTitles: ["a"], title: "adds", status: "passed" },
          { title: "b", status: "pending" },
        ],
      },
      { name: "src/b.test.ts", assertionResults: [{ ancestorTitles: [], title: "c", status: "failed" }] },
    ],
  };
  expect(entries(readReport("json", [`> vitest\n${JSON.stringify(report)}\nDone.\n`]))).toEqual({
    "src/a.test.ts > a > adds": "passed",
    "src/a.test.ts > b": "skipped",
    "src/b.test.ts > c": "failed",
  });
  expect(readReport("json", ['{"a":1}'])).toBeUndefined();
});

test("go test -json: the last word on each test, past lines of the build", () => {
  const lines = [
    "# example.com/a",
    '{"Action":"run","Package":"example.com/a","Test":"TestX"}',
    '{"Action":"output","Package":"example.com/a","Test":"TestX","Output":"hm\\n"}',
    '{"Action":"pass","Package":"example.com/a","Test":"TestX","Elapsed":0}',
    '{"Action":"fail","Package":"example.com/a","Test":"TestY/with_a_part"}',
    '{"Action":"skip","Package":"example.com/b","Test":"TestZ"}',
    '{"Action":"fail","Package":"example.com/a"}',
  ];
  expect(entries(readReport("go", [lines.join("\n")]))).toEqual({
    "example.com/a > TestX": "passed",
    "example.com/a > TestY/with_a_part": "failed",
    "example.com/b > TestZ": "skipped",
  });
});

test("what Node's own runner writes as TAP and as JUnit is read alike", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-report-"));
  try {
    writeFileSync(
      join(folder, "a.test.mjs"),
      'import { describe, test } from "node:test";\ndescribe("sum", () => { test("adds", () => {}); test("fails", () => { throw new Error("x"); }); test.skip("later", () => {}); });\n',
    );
    const run = (reporter: string): string => {
      const env = { PATH: process.env["PATH"], NODE_OPTIONS: "" };
      const script = `"${process.execPath}" --test --test-reporter=${reporter} a.test.mjs || true`;
      return execFileSync("sh", ["-c", script], { cwd: folder, encoding: "utf8", env });
    };
    expect(entries(readReport("tap", [run("tap")]))).toMatchObject({
      "sum > adds": "passed",
      "sum > fails": "failed",
      "sum > later": "skipped",
    });
    const byCase = Object.values(entries(readReport("junit", [run("junit")])) ?? {}).toSorted();
    expect(byCase).toEqual(["failed", "passed", "skipped"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a report that is nested without end is none, and ends nothing", () => {
  for (const piece of ["<testsuite>", "<testsuites>"]) readReport("junit", [piece.repeat(8000)]);
  expect(readReport("json", ['{"testResults":'.repeat(50_000)])).toBeUndefined();
  expect(readReport("tap", [Array.from({ length: 200 }, (_, i) => `${"    ".repeat(i)}# Subtest: a`).join("\n")])).toBeUndefined();
});

test("no text makes a reader throw", () => {
  const piece = fc.constantFrom(
    "<testsuite>",
    "<testcase name='a'",
    "</",
    "&x;",
    "ok 1",
    "not ok",
    "    ",
    "\n",
    "1..2",
    '{"Action":',
    '{"testResults":[',
    "}",
    "]",
    "---",
    "...",
  );
  const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 25 }).map((list) => list.join(""));
  fc.assert(
    fc.property(fc.constantFrom("junit", "tap", "json", "go"), fc.array(text, { maxLength: 3 }), (format, texts) => {
      readReport(format as "junit", texts);
    }),
    { numRuns: 300 },
  );
});
