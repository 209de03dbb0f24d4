import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Gate, GateOf } from "../../domain/index.ts";
import type { GatesEnd } from "./contract.ts";
import { judged, type Does, type Judging } from "./gates.testkit.ts";
import { PRINTED } from "./run-tests.ts";

type Outcomes = Readonly<Record<string, "ok" | "not ok" | "skip">>;

const gate = (fields: Partial<GateOf<"regression">> = {}): Gate => ({
  kind: "regression",
  name: "tests",
  command: "run",
  report: "tap",
  timeoutMs: 1000,
  ...fields,
});
const tap = (outcomes: Outcomes): string =>
  Object.entries(outcomes)
    .map(([name, outcome]) => (outcome === "skip" ? `ok - ${name} # SKIP` : `${outcome} - ${name}`))
    .concat("")
    .join("\n");
/** Runs one after the other; the last one again and again. */
const reports =
  (...runs: Outcomes[]): Does =>
  () => {
    const outcomes = runs.length > 1 ? runs.shift() : runs[0];
    return { code: 1, writes: { [PRINTED]: tap(outcomes ?? {}) } };
  };

const judge = (before: Does, after: Does, more: Partial<Judging> = {}): Promise<GatesEnd> =>
  judged({ gates: [gate()], after: { a: "1" }, does: { before, after }, ...more });
const messages = (end: GatesEnd): string[] => end.findings.map((f) => f.message);

describe("a test that passed before", () => {
  test("and fails now, is gone or is skipped is named, each with what became of it", async () => {
    const end = await judge(
      reports({ a: "ok", b: "ok", c: "ok", d: "ok", old: "not ok" }),
      reports({ a: "ok", b: "not ok", d: "skip", e: "ok", old: "not ok" }),
    );
    expect(messages(end)).toEqual([
      "3 tests that passed before do not pass now; failing: b; skipped: d; gone (renamed, deleted or not run): c",
    ]);
    expect(end.gates[0]).toMatchObject({ kind: "regression", verdict: "refused" });
  });

  test("and fails once, but passes when run again, is told and does not count", async () => {
    const end = await judge(reports({ a: "ok", b: "ok" }), reports({ a: "ok", b: "not ok" }, { a: "ok", b: "ok" }));
    expect(end.gates[0]).toMatchObject({
      verdict: "passed",
      evidence: "2 tests passed before, and pass\nfailed once, and passed when run again: b",
    });
  });

  test("and fails both times counts, with those that are flaky beside it", async () => {
    const end = await judge(reports({ a: "ok", b: "ok" }), reports({ a: "not ok", b: "not ok" }, { a: "not ok", b: "ok" }));
    expect(messages(end)).toEqual(["1 test that passed before does not pass now; failing: a"]);
    expect(end.gates[0]?.evidence).toContain("passed when run again: b");
  });
});

test("what failed before, and what is new, is not held against the attempt", async () => {
  const end = await judge(reports({ a: "ok", b: "not ok" }), reports({ a: "ok", b: "not ok", c: "not ok" }));
  expect(end.findings).toEqual([]);
});

test("a report that is not there any more is a refusal; one that never was is an error, not a pass", async () => {
  const nothing: Does = () => ({ code: 1, tail: "cannot compile" });
  const lost = await judge(reports({ a: "ok" }), nothing);
  expect(lost.findings).toEqual([
    { gate: "tests", message: "`run` leaves no report any more; 1 test passed before", evidence: "cannot compile" },
  ]);
  const never = await judge(nothing, nothing, { gates: [gate({ report: "junit", reportFiles: ["out.xml"] })] });
  expect(never.gates[0]?.verdict).toBe("errored");
  expect(messages(never)).toEqual([
    "`run` left no junit report at out.xml, before the attempt or after it: see the gate's `format` and `report`",
  ]);
  const first = await judge(nothing, reports({ a: "ok" }));
  expect(first.findings).toEqual([]);
});

test("a report that an earlier run left is not read again", async () => {
  const report = (failed: boolean): string => `<testsuite name="s"><testcase name="t">${failed ? "<failure/>" : ""}</testcase></testsuite>`;
  let runs = 0;
  const after: Does = () => ((runs += 1) === 1 ? { writes: { "out.xml": report(true) } } : {});
  const before: Does = () => ({ writes: { "out.xml": report(false) } });
  const end = await judge(before, after, { gates: [gate({ report: "junit", reportFiles: ["out.xml"] })] });
  expect(messages(end)).toEqual(["`run` leaves no report any more at out.xml; 1 test passed before"]);
});

describe("by exit code alone", () => {
  const byCode = (before: number, after: number): Promise<GatesEnd> =>
    judge(
      () => ({ code: before }),
      () => ({ code: after, tail: "1 failed" }),
      { gates: [gate({ report: "exit-code", command: "npm test" })] },
    );

  test("what passed and fails now is refused; what failed before says nothing, and the verdict says that", async () => {
    expect((await byCode(0, 1)).findings).toEqual([
      { gate: "tests", message: "`npm test` passed before the attempt and exits 1 now", evidence: "1 failed" },
    ]);
    expect((await byCode(0, 0)).findings).toEqual([]);
    expect((await byCode(2, 1)).gates[0]).toMatchObject({
      verdict: "passed",
      evidence: expect.stringContaining("exits 2 before the attempt too") as string,
    });
  });
});

test("a command that cannot be run, before or after, is an error; one that is stopped ends the judging", async () => {
  const late: Does = () => ({ kind: "deadline", tail: "..." });
  expect((await judge(late, reports({ a: "ok" }))).findings).toEqual([
    { gate: "tests", message: "`run` did not end within 1 s, at the commit the attempt started from", evidence: "..." },
  ]);
  expect((await judge(reports({ a: "ok" }), late)).gates[0]).toMatchObject({ verdict: "errored" });
  for (const [before, after] of [
    ["aborted", "exited"],
    ["exited", "aborted"],
  ] as const)
    expect(
      await judge(
        () => ({ kind: before }),
        () => ({ kind: after }),
      ),
    ).toMatchObject({ aborted: true, gates: [] });
});

test("an attempt that changed nothing broke nothing, and nothing is run", async () => {
  const never: Does = () => {
    throw new Error("it was run");
  };
  expect((await judge(never, never, { from: "tree" })).gates).toMatchObject([{ verdict: "passed", evidence: "nothing changed" }]);
});

test("the commit it started from is run once for all who start there, and apart for another command, setup or environment", async () => {
  const answers = new Map<string, Promise<unknown>>();
  let runs = 0;
  const before: Does = (command) => ((runs += 1), reports({ a: "ok" })(command));
  const once: Judging["once"] = (key, compute) => {
    const known = (answers.get(key) ?? compute()) as ReturnType<typeof compute>;
    answers.set(key, known);
    return known;
  };
  const again = (gates: Gate[]): Promise<GatesEnd> => judge(before, reports({ a: "ok" }), { once, gates });
  await again([gate(), gate({ name: "the same" })]);
  await again([gate()]);
  expect(runs).toBe(1);
  await again([gate({ command: "run --all" })]);
  expect(runs).toBe(2);
});

test("refused exactly when a test that passed before passes neither time", async () => {
  const outcomes = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom<Outcomes[string]>("ok", "not ok", "skip"));
  // A report without a test point is none.
  const some = outcomes.map((found) => ({ ...found, always: "ok" as const }));
  await fc.assert(
    fc.asyncProperty(some, some, some, async (before, first, second) => {
      const end = await judge(reports(before), reports(first, second));
      const lost = Object.keys(before).filter(
        (t) => before[t as "always"] === "ok" && first[t as "always"] !== "ok" && second[t as "always"] !== "ok",
      );
      expect(end.gates[0]?.verdict).toBe(lost.length > 0 ? "refused" : "passed");
      for (const name of lost) expect(end.findings[0]?.message).toContain(name);
    }),
    { numRuns: 60 },
  );
});
