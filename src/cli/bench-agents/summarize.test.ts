import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { planCells, type Planned } from "./cells.ts";
import { ResultsFile, type EndedCell } from "./results-file.ts";
import { summarize } from "./summarize.ts";
import { benchText } from "./table-text.ts";

const ended = (more: Partial<EndedCell>): EndedCell => ({
  kind: "ended",
  task: "t",
  agent: "a",
  n: 1,
  digest: "d",
  runId: "r",
  type: "fix",
  tier: "mid",
  verdict: "accepted",
  refusedBy: [],
  ms: 1000,
  at: 0,
  ...(more.verdict === undefined || more.verdict === "accepted" ? { accepted: true, microUsd: 100 } : {}),
  ...more,
});
const agents = [{ id: "a", tier: "mid" }];

test("accuracy is of what came to be judged, reliability of all, and cost per accepted result carries what failed", () => {
  const runs = [
    ended({ ms: 1000 }),
    ended({ ms: 3000 }),
    ended({ verdict: "refused", accepted: false, ms: 2000, microUsd: 400 }),
    ended({ verdict: "failed", failure: "crash", ms: 500, microUsd: 60 }),
    ended({ verdict: "failed", failure: "timeout", accepted: false, ms: 9000, microUsd: 40 }),
    ended({ verdict: "failed", failure: "quota", ms: 1, microUsd: 7 }),
    ended({ verdict: "failed", failure: "setup", ms: 1, microUsd: 0 }),
    ended({ verdict: "none", ms: 0 }),
  ];
  const [fix, all] = summarize(runs, agents);
  expect(fix).toMatchObject({
    type: "fix",
    runs: 5,
    accuracy: { hits: 2, of: 4 },
    reliability: { hits: 3, of: 5 },
    medianMs: 2000,
    p90Ms: 9000,
    microUsdPerRun: 140,
    microUsdPerAccepted: 350,
    isSmall: true,
  });
  expect({ ...all, type: "fix" }).toEqual(fix);
  const text = benchText(
    [fix, all].filter((l) => l !== undefined),
    runs,
    ["a"],
  );
  expect(text).toMatch(/^a +mid +fix +5\* +2\/4 50 % \(15 % to 85 %\) +2\.0 s +9\.0 s +\$0\.0001 +\$0\.0003 +60 %$/m);
  expect(text).toMatch(/3 runs counted nowhere.*1 × a quota, 1 × a setup, 1 × a none/);
  expect(text).toMatch(/Scripted models answered for a/);
});

test("a cost that nobody knows is not taken for nothing, and who had nothing accepted has no price of it", () => {
  const unknown = { ...ended({}) };
  delete unknown.microUsd;
  expect(summarize([unknown, ended({})], agents)[0]).toMatchObject({ microUsdPerRun: 100, microUsdPerAccepted: undefined });
  expect(summarize([ended({ verdict: "refused", accepted: false, microUsd: 5 })], agents)[0]).toMatchObject({
    microUsdPerRun: 5,
    microUsdPerAccepted: undefined,
  });
  expect(summarize([], agents)).toMatchObject([{ runs: 0, accuracy: { of: 0, low: 0, high: 1 }, medianMs: undefined }]);
});

test("whatever the runs were, the median is no more than the ninetieth percentile, and both are within what was seen", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 40 }), (times) => {
      const line = summarize(
        times.map((ms) => ended({ ms })),
        agents,
      ).at(-1);
      const { medianMs = -1, p90Ms = -1 } = line ?? {};
      expect(times).toContain(p90Ms);
      expect(medianMs).toBeLessThanOrEqual(p90Ms);
      expect(medianMs).toBeGreaterThanOrEqual(Math.min(...times));
      expect(times.filter((ms) => ms <= p90Ms).length).toBeGreaterThanOrEqual(0.9 * times.length);
    }),
  );
});

test("a line that a kill cut off is none, and does not spoil the next; a begun run without an end is known", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-results-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "deep", "results.ndjson");
  const cell = (n: number) => ({ task: "t", agent: "a", n, digest: "d" });
  const first = new ResultsFile(path);
  first.start(cell(1), "r1", 1);
  first.end(ended({ runId: "r1" }));
  first.start(cell(2), "r2", 2);
  appendFileSync(path, '{"kind":"ended","task":"t","ag');
  const second = new ResultsFile(path);
  expect([second.ended(cell(1))?.runId, second.begun(cell(1)), second.ended(cell(2)), second.begun(cell(2))]).toEqual([
    "r1",
    undefined,
    undefined,
    "r2",
  ]);
  second.end(ended({ n: 2, runId: "r2" }));
  expect(new ResultsFile(path).ended(cell(2))?.runId).toBe("r2");
  expect(readFileSync(path, "utf8")).toMatch(/"ag\n\{"kind":"ended"/);
});

test("what is measured anew when a task or an agent changed is what changed, and nothing else", () => {
  const task = (id: string, prompt: string, repeat = 1) => ({ id, complexity: 1, repeat, files: [], step: { prompt } });
  const plan = (prompt: string, model: string, repeat?: number): string[] =>
    planCells({
      tasks: [task("x", prompt), task("y", "fix", 2)],
      agents: [
        { id: "a", model },
        { id: "b", model: "m" },
      ],
      bases: new Map(),
      repeat,
    } as unknown as Planned).map((c) => `${c.n}${c.task}${c.agent} ${c.digest}`);
  const before = plan("do", "m");
  expect(before.map((c) => c.split(" ")[0])).toEqual(["1xa", "1xb", "1ya", "1yb", "2ya", "2yb"]);
  const changed = (now: string[]): (string | undefined)[] => now.filter((c) => !before.includes(c)).map((c) => c.split(" ")[0]);
  expect(changed(plan("do it", "m"))).toEqual(["1xa", "1xb"]);
  expect(changed(plan("do", "n"))).toEqual(["1xa", "1ya", "2ya"]);
  expect(changed(plan("do", "m", 2))).toEqual(["2xa", "2xb"]);
});
