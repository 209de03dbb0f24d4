import { expect, test } from "vitest";
import { fold, type RunEvent, type RunState } from "../../domain/index.ts";
import { parsePipeline } from "../../pipeline/index.ts";
import { stepIsOver } from "./living.ts";

const parsed = parsePipeline("steps:\n  a: { prompt: x, outputs: [a.txt], retry: 2 }\n", "p.yaml");
if (!parsed.ok) throw new Error("it should parse");
const run = { runId: "r", pipeline: parsed.pipeline, project: "/p", base: "c0", branch: "stepfall/r", agents: [], includeDirty: false };
const of = { step: "a" };

function after(...events: RunEvent[]): RunState {
  const all: RunEvent[] = [{ type: "RunStarted", data: run }, ...events];
  return fold(all.map((event, i) => ({ event, at: i, version: i + 1 })));
}
const begun = (n: number): RunEvent[] => [
  { type: "AttemptRouted", data: { ...of, attempt: `r/a#${n}`, n, tier: "mid", candidates: ["x"], reasons: [] } },
  { type: "AttemptStarted", data: { ...of, attempt: `r/a#${n}`, agent: "x", node: "h:1:a", epoch: n, queuedMs: 0 } },
];
const refused: RunEvent = { type: "AttemptRejected", data: { ...of, attempt: "r/a#1", gates: [], findings: [] } };
const accepted: RunEvent = { type: "AttemptAccepted", data: { ...of, attempt: "r/a#2", commit: "c1", gates: [] } };
const merged: RunEvent = { type: "ResultMerged", data: { ...of, attempt: "r/a#2", commit: "c2" } };

test("an attempt's folder is needed until its step is over: the next one may go on in it, and accepted work is checked there", () => {
  expect(stepIsOver(after(...begun(1)), "a")).toBe(false);
  expect(stepIsOver(after(...begun(1), refused), "a")).toBe(false);
  expect(stepIsOver(after(...begun(1), refused, ...begun(2), accepted), "a")).toBe(false);
  const done: RunEvent = { type: "StepCompleted", data: { ...of, attempt: "r/a#2" } };
  expect(stepIsOver(after(...begun(1), refused, ...begun(2), accepted, merged, done), "a")).toBe(true);
  expect(stepIsOver(after(...begun(1), refused, { type: "StepFailed", data: { ...of, because: "no" } }), "a")).toBe(true);
  expect(stepIsOver(after(), "b")).toBe(false);
});
