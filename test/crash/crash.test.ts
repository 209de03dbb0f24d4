import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Evidence } from "./evidence.ts";
import { crashEverywhere } from "./harness.ts";

test(
  "engines, machines, keepers, agents and gateways are killed with a run under way: it ends as if nothing had been, everything once, nothing left",
  { timeout: 240_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "stepfall-crash-evidence-"));
    try {
      const evidence = new Evidence(join(folder, "evidence.ndjson"));
      const report = await crashEverywhere({ every: 0, everyOther: 0, everyFrozen: 60, moments: 8, seed: 10, lanes: 2, evidence });
      const problems = evidence.results.flatMap((r) => r.problems.map((p) => `${r.name}: ${p.kind}: ${p.text}`));
      expect(problems).toEqual([]);
      // The test has teeth only where something died in the middle of work.
      expect(report.missed).toBeLessThan(report.points / 2);
      expect(report.agents + report.reattached + report.outlived).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
