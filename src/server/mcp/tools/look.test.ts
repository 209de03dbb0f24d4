import { expect, test } from "vitest";
import type { Control, RunReport, StepReport } from "../../../control/index.ts";
import type { Call } from "../tool.ts";
import { getRun } from "./look.ts";

const long = "why ".repeat(2000);
const step = (n: number, status: string): StepReport => ({
  id: `group/step-${n}`,
  kind: "agent",
  status,
  needs: [],
  because: long,
  attempts: Array.from({ length: 8 }, (_, i) => ({
    id: `run/group/step-${n}#${i + 1}`,
    n: i + 1,
    phase: "rejected",
    tier: "free",
    reasons: [long],
    gates: [{ name: long, kind: "command", verdict: "refused", durationMs: 1 }],
    findings: Array.from({ length: 50 }, () => ({ gate: "g", message: long, evidence: long })),
    summary: long,
  })),
});
const report = {
  runId: "run",
  pipeline: "huge",
  project: "/p",
  status: "failed",
  base: "b",
  branch: "stepfall/run",
  startedAt: 1,
  paused: [],
  steps: Array.from({ length: 1000 }, (_, n) => step(n, n === 777 ? "failed" : n === 888 ? "active" : "completed")),
  waiting: [],
  bill: { runId: "run", rows: [], total: { microUsd: 12, refused: 0 } },
} as unknown as RunReport;
const control = { run: () => Promise.resolve(report) } as unknown as Control;
const call = { control } as Call;

test("of a run with a thousand steps those are shown that need a look, and what is left out is counted", async () => {
  const answer = await getRun.act({ run: "run" }, call);
  const text = JSON.stringify(answer);
  expect(text.length).toBeLessThan(30_000);
  expect(answer).toMatchObject({ data: { stepsLeftOut: 940, stepsByStatus: { completed: 998, failed: 1, active: 1 } } });
  expect(text).toContain("step-777");
  expect(text).toContain("step-888");
});

test("a step's attempts are the last ones, with what gates found cut where it is long", async () => {
  const answer = await getRun.act({ run: "run", step: "step-777" }, call);
  expect(JSON.stringify(answer).length).toBeLessThan(30_000);
  expect(answer).toMatchObject({ data: { step: { id: "group/step-777", attemptsLeftOut: 3 } } });
  await expect(getRun.act({ run: "run", step: "step-7" }, call)).resolves.toMatchObject({ data: { step: { id: "group/step-7" } } });
  await expect(getRun.act({ run: "run", step: "no" }, call)).rejects.toThrow("has no step no");
});
