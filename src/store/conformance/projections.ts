import { describe, expect, test } from "vitest";
import type { CallRow, OutcomeRow, RunRow } from "../index.ts";
import { fixture, type StoreHarness } from "./fixture.ts";

const run = (runId: string, more: Partial<RunRow> = {}): RunRow => ({
  runId,
  project: "/p",
  pipeline: "build",
  branch: `stepfall/${runId}`,
  base: "abc",
  status: "running",
  stepsTotal: 3,
  stepsDone: 0,
  startedAt: 100,
  ...more,
});

const call = (callId: string, more: Partial<CallRow> = {}): CallRow => ({
  callId,
  runId: "r",
  attempt: "r/s#1",
  agent: "a",
  provider: "openai",
  model: "m",
  tier: "mid",
  at: 100,
  durationMs: 12.5,
  inputTokens: 10,
  cachedInputTokens: 4,
  outputTokens: 5,
  microUsd: 123,
  provenance: "reported",
  outcome: "ok",
  reservedMicroUsd: 400,
  ...more,
});

const outcome = (attempt: string, more: Partial<OutcomeRow> = {}): OutcomeRow => ({
  attempt,
  runId: "r",
  step: "a",
  project: "/p",
  at: 100,
  agent: "x",
  tier: "free",
  type: "fix",
  verdict: "open",
  gates: [{ name: "test", kind: "command", verdict: "refused" }],
  microUsd: 12,
  ms: 30,
  ...more,
});

export function projectionConformance(harness: StoreHarness): void {
  describe("projections and timers", () => {
    const at = fixture(harness);

    test("runs are listed newest first, as they were last written", async () => {
      const [old, young, other] = [run("1"), run("2", { startedAt: 200 }), run("3", { project: "/q", startedAt: 50 })];
      await at.store.commit({ projections: [old, young, other].map((row) => ({ kind: "run", row })) });
      const done = { ...old, status: "succeeded" as const, stepsDone: 3, endedAt: 900, waitedForPeopleMs: 40, waitsForPeopleSince: 860 };
      await at.store.commit({ projections: [{ kind: "run", row: done }] });
      expect(await at.store.runs()).toEqual([young, done, other]);
      expect(await at.store.runs({ project: "/p", limit: 1 })).toEqual([young]);
      expect(await at.store.runs({ runId: "1" })).toEqual([done]);
      expect(await at.store.runs({ project: "/q", runId: "1" })).toEqual([]);
    });

    test("a call is billed once, however often it is imported", async () => {
      const rows = [call("1"), call("2", { attempt: "r/t#1", at: 50 }), call("3", { runId: "q", attempt: "q/s#1" })];
      await at.store.commit({ projections: [{ kind: "calls", rows }] });
      await at.store.commit({ projections: [{ kind: "calls", rows: [call("1", { microUsd: 999_999 }), call("4", { at: 300 })] }] });
      expect(await at.store.calls({ runId: "r" })).toEqual([rows[1], rows[0], call("4", { at: 300 })]);
      expect(await at.store.calls({ attempt: "r/t#1" })).toEqual([rows[1]]);
      expect(await at.store.calls({ runId: "q", attempt: "r/t#1" })).toEqual([]);
      expect(await at.store.calls()).toHaveLength(4);
    });

    test("what became of an attempt is replaced by what is known later, and found by run, project and time", async () => {
      const rows = [outcome("r/a#1"), outcome("r/b#1", { at: 50, project: "/q" }), outcome("s/a#1", { runId: "s", at: 300 })];
      await at.store.commit({ projections: [{ kind: "outcomes", rows }] });
      const later = outcome("r/a#1", { verdict: "accepted", truth: { verdict: "wrong", because: "a person said so" }, complexity: 4 });
      await at.store.commit({ projections: [{ kind: "outcomes", rows: [later] }] });
      expect(await at.store.outcomes({ runId: "r" })).toEqual([rows[1], later]);
      expect(await at.store.outcomes({ project: "/p", since: 200 })).toEqual([rows[2]]);
      expect(await at.store.outcomes({ since: 60 })).toEqual([later, rows[2]]);
      expect(await at.store.outcomes()).toHaveLength(3);
    });

    test("what was spent is summed from a time on, for all projects or for one", async () => {
      const runs = [run("r"), run("q", { project: "/q" })];
      const rows = [call("1"), call("2", { at: 50 }), call("3", { runId: "q", microUsd: 7 }), call("4", { runId: "unknown", microUsd: 1 })];
      await at.store.commit({ projections: [...runs.map((row) => ({ kind: "run" as const, row })), { kind: "calls", rows }] });
      expect(await at.store.spent({ since: 0 })).toBe(123 + 123 + 7 + 1);
      expect(await at.store.spent({ since: 100 })).toBe(123 + 7 + 1);
      expect(await at.store.spent({ since: 100, project: "/p" })).toBe(123);
      expect(await at.store.spent({ since: 101, project: "/p" })).toBe(0);
    });

    test("an offset is zero until it is written", async () => {
      expect(await at.store.offset("spool")).toBe(0);
      await at.store.commit({ projections: [{ kind: "offset", key: "spool", value: 5_000_000_000 }] });
      expect(await at.store.offset("spool")).toBe(5_000_000_000);
    });

    test("timers are due from their time on, earliest first, until they are cleared", async () => {
      const timers = [3, 1, 2].map((n) => ({ id: `t${n}`, runId: "r", at: n * 100 }));
      await at.store.commit({ timers: { set: timers } });
      expect((await at.store.dueTimers(200, 10)).map(({ id }) => id)).toEqual(["t1", "t2"]);
      expect(await at.store.dueTimers(999, 1)).toEqual([timers[1]]);
      await at.store.commit({ timers: { clear: ["t1", "unknown"], set: [{ id: "t2", runId: "r", at: 500 }] } });
      expect((await at.store.dueTimers(999, 10)).map(({ id }) => id)).toEqual(["t3", "t2"]);
    });
  });
}
