import { expect, test } from "vitest";
import type { Recorded } from "../../../../src/domain/index.ts";
import { LatestLive } from "./latest-live.ts";
import type { LiveItem } from "./messages.ts";

const live = (attempt: string, state: "running" | "stuck"): LiveItem => ({
  type: "liveness",
  at: 1,
  runId: "r1",
  attempt,
  step: "a",
  state,
  since: 1,
  evidence: [],
});
const says = (attempt: string): LiveItem => ({ type: "progress", at: 1, runId: "r1", attempt, step: "a", text: "half way" });
const happened = (event: Recorded["event"]): Recorded => ({
  globalSeq: 1,
  stream: "run:r1",
  version: 1,
  schemaVersion: 1,
  at: 1,
  actor: "engine",
  event,
});
const told = (latest: LatestLive): string[] =>
  latest.items().map((item) => `${item.attempt} ${item.type === "progress" ? item.text : item.state}`);

test("a tab that comes later is told how each attempt was last said to be, and nothing of those that are over", () => {
  const latest = new LatestLive();
  for (const item of [
    live("r1/a#1", "running"),
    says("r1/a#1"),
    live("r1/b#1", "running"),
    live("r10/a#1", "running"),
    live("r1/a#1", "stuck"),
  ])
    latest.heard(item);
  expect(told(latest)).toEqual(["r1/b#1 running", "r10/a#1 running", "r1/a#1 stuck", "r1/a#1 half way"]);
  latest.happened(happened({ type: "AttemptInterrupted", data: { attempt: "r1/a#1", step: "a", because: "stopped" } }));
  expect(told(latest)).toEqual(["r1/b#1 running", "r10/a#1 running"]);
  // Only of the run that is over, and not of one whose id begins as its own.
  latest.happened(happened({ type: "RunFinished", data: { outcome: "cancelled" } }));
  expect(told(latest)).toEqual(["r10/a#1 running"]);
});

test("however many attempts nobody says the end of, no more than so many are kept", () => {
  const latest = new LatestLive();
  for (let i = 0; i < 2_500; i++) latest.heard(live(`r1/a#${i}`, "running"));
  expect(latest.items()).toHaveLength(2_000);
  expect(latest.items()[0]?.attempt).toBe("r1/a#500");
});
