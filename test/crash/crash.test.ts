import { expect, test } from "vitest";
import { crashEverywhere, describePoint } from "./harness.ts";

test(
  "kill -9 of the engine, before and after its commits and at random moments: a resume loses nothing, doubles nothing, leaves nothing",
  { timeout: 240_000 },
  async () => {
    const report = await crashEverywhere({ every: 5, moments: 4, seed: 20, lanes: 2 });
    const problems = report.results.flatMap((r) => r.problems.map((p) => `killed ${describePoint(r.point)}: ${p.kind}: ${p.text}`));
    expect(problems).toEqual([]);
    // The test has teeth only where the engine really died in the middle of work.
    expect(report.boundaries - report.survived).toBeGreaterThan(7);
    expect(report.interrupted).toBeGreaterThan(0);
    expect(report.outlived).toBeGreaterThan(0);
    expect(report.cutCalls).toBeGreaterThan(0);
  },
);
