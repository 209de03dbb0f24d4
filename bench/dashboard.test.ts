import { expect, test } from "vitest";
import { eventSchemas, fold } from "../src/domain/index.ts";
import { madeUpRun, type MadeUpRun } from "./dashboard-journal.ts";

const options: MadeUpRun = {
  runId: "01benchbenchbenchbenchbench",
  project: "/bench",
  steps: 40,
  attemptsPerStep: 1.5,
  slots: 6,
  reports: 1,
  startedAt: 1_700_000_000_000,
  everyMs: 20,
  seed: 7,
};

test("a made-up journal is one that an engine could have written: each event is valid, and they fold to a run that succeeded", () => {
  const events = [...madeUpRun(options)];
  for (const { event } of events) expect(eventSchemas[event.type].safeParse(event.data).error, event.type).toBeUndefined();
  const state = fold(events.map((e, i) => ({ ...e, version: i + 1 })));
  expect(state.outcome).toBe("succeeded");
  expect(state.version).toBe(events.length);
  // Nothing was swallowed by the fold: every attempt that was routed is there, and every accepted one is merged.
  const routed = events.filter((e) => e.event.type === "AttemptRouted").length;
  expect([...state.steps.values()].reduce((sum, s) => sum + s.attempts.length, 0)).toBe(routed);
  expect([...state.steps.values()].every((s) => s.status === "completed" && s.attempts.at(-1)?.phase === "merged")).toBe(true);
  expect(routed).toBeGreaterThan(options.steps);
});

test("the same options make the same journal, another seed another", () => {
  expect([...madeUpRun(options)]).toEqual([...madeUpRun(options)]);
  expect([...madeUpRun({ ...options, seed: 8 })]).not.toEqual([...madeUpRun(options)]);
});
