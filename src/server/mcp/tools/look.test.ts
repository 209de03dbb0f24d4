import { expect, test } from "vitest";
import type { Control, InboxEntry, RunReport, RunSummary, StepReport } from "../../../control/index.ts";
import type { Call } from "../tool.ts";
import { getRun, listRuns } from "./look.ts";
import { inbox } from "./people.ts";

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
  expect(answer).toMatchObject({ data: { stepsByStatus: { completed: 998, failed: 1, active: 1 } } });
  const { steps, stepsLeftOut, next } = (answer as { data: { steps: unknown[]; stepsLeftOut: number; next: string } }).data;
  expect(steps.length + stepsLeftOut).toBe(1000);
  expect(next).toContain("tells why group/step-777 failed");
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

const item = (n: number) => ({
  item: `run/group/ask-${n}!1`,
  runId: "run",
  step: `group/ask-${n}`,
  kind: "question" as const,
  title: "t".repeat(300),
  detail: "d".repeat(4000),
  choices: Array.from({ length: 10 }, () => "c".repeat(200)),
  who: [],
  count: 1,
  openedAt: n,
  answers: [],
});

test("where a thousand things wait the first are told whole, the rest is counted, and nothing of it makes an answer long", async () => {
  const many = Array.from({ length: 1000 }, (_, n) => item(n));
  const waits = { ...report, status: "waiting", waiting: many } as unknown as RunReport;
  const entries = many.map((i): InboxEntry => ({ ...i, unblocks: 1, waitedMs: 1, project: "/p", pipeline: "huge" }));
  const of = { control: { run: () => Promise.resolve(waits), inbox: () => Promise.resolve(entries) } } as unknown as Call;
  const looked = await getRun.act({ run: "run" }, of);
  expect(JSON.stringify(looked).length).toBeLessThan(30_000);
  expect(looked).toMatchObject({ data: { waiting: [{ detail: "d".repeat(4000) }], waitingLeftOut: 999 } });
  expect(JSON.stringify(looked)).toContain("run/group/ask-4!1 (question) and 995 more");
  const box = await inbox.act({}, of);
  expect(JSON.stringify(box).length).toBeLessThan(30_000);
  const { items, leftOut } = (box as { data: { items: unknown[]; leftOut: number } }).data;
  expect(items.length).toBeGreaterThan(2);
  expect(items.length + leftOut).toBe(1000);
});

test("of ten thousand runs all can be had, a part at a time, of one project or status", async () => {
  const runs = Array.from({ length: 10_000 }, (_, n) => {
    const runId = `r${String(10_000 - n).padStart(6, "0")}`;
    return {
      runId,
      pipeline: "p".repeat(300),
      project: `/p${n % 2}`,
      status: "succeeded",
      stepsDone: 1,
      stepsTotal: 1,
      startedAt: 1,
      durationMs: 1,
      microUsd: 1,
    };
  }) as unknown as RunSummary[];
  const control = {
    projects: () => Promise.resolve([{ path: "/p0", name: "p0" }]),
    runs: ({ limit = 100, before, project }: { limit?: number; before?: string; project?: string } = {}) =>
      Promise.resolve(
        runs.filter((r) => (before === undefined || r.runId < before) && (project === undefined || r.project === project)).slice(0, limit),
      ),
  } as unknown as Control;
  const list = async (input: Record<string, unknown>) => {
    const answer = await listRuns.act({ limit: 100, ...input }, { control, project: "/p0" } as unknown as Call);
    expect(JSON.stringify(answer).length).toBeLessThan(30_000);
    return (answer as { data: { runs: { runId: string }[]; next: string } }).data;
  };
  const seen = new Set<string>();
  for (let before: string | undefined; ;) {
    const page = await list(before === undefined ? {} : { before });
    for (const { runId } of page.runs) seen.add(runId);
    before = /`before` (\w+)/.exec(page.next)?.[1];
    if (before === undefined) break;
  }
  expect(seen.size).toBe(10_000);
  // A folder of the project is enough.
  expect((await list({ project: "src/deep", limit: 1 })).runs).toHaveLength(1);
  expect((await list({ project: "/elsewhere" })).next).toBe("There is none of these.");
});

test("of a step at work is told how far its agent says it is, and what is seen of it", async () => {
  const working = {
    ...step(1, "active"),
    attempts: [
      {
        ...step(1, "active").attempts[0],
        phase: "running",
        report: { text: "half way", percent: 50, at: 1 },
        live: { state: "idle", evidence: ["waits"] },
      },
    ],
  };
  const run = (): Promise<unknown> => Promise.resolve({ ...report, status: "running", steps: [working] });
  const answer = await getRun.act({ run: "run" }, { control: { run } } as unknown as Call);
  expect(answer).toMatchObject({ data: { steps: [{ report: "50 %, half way", live: "idle: waits" }] } });
});

test("a run that is over tells how its result is taken, and where it was", async () => {
  const nextFor = async (change: object): Promise<unknown> => {
    const run = () => Promise.resolve({ ...report, steps: [], ...change });
    return ((await getRun.act({ run: "run" }, { control: { run } } as unknown as Call)) as { data: { next: unknown } }).data.next;
  };
  expect(await nextFor({ status: "succeeded" })).toContain("`stepfall merge run` merges it");
  expect(await nextFor({ status: "succeeded", mergedInto: { into: "main", commit: "c" } })).toContain("It was merged into main.");
  expect(await nextFor({ status: "failed" })).toContain("`stepfall run --again run`");
});
