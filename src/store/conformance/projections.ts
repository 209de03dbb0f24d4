import { describe, expect, test } from "vitest";
import type { CallRow, RunRow } from "../index.ts";
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

export function projectionConformance(harness: StoreHarness): void {
  describe("projections and timers", () => {
    const at = fixture(harness);

    test("runs are listed newest first, as they were last written", async () => {
      const [old, young, other] = [run("1"), run("2", { startedAt: 200 }), run("3", { project: "/q", startedAt: 50 })];
      await at.store.commit({ projections: [old, young, other].map((row) => ({ kind: "run", row })) });
      const done = { ...old, status: "succeeded" as const, stepsDone: 3, endedAt: 900 };
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
