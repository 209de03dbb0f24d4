import { expect, test } from "vitest";
import { fold, type RunEvent } from "../../domain/index.ts";
import { stepOf } from "../../domain/simulate.testkit.ts";
import { finishedIn, similarTo, type FinishedAttempt } from "./index.ts";

const step = stepOf("a", [], { readonly: true });
const usage = { calls: 1, inputTokens: 100, cachedInputTokens: 0, outputTokens: 20, microUsd: 7, provenance: "reported" as const };
const of = (n: number) => ({ attempt: `r/a#${n}`, step: "a" });

test("only attempts that came to an end by their own work are company, with what the ledger has of them", () => {
  const attempt = (n: number, ends: RunEvent): RunEvent[] => [
    { type: "AttemptRouted", data: { ...of(n), n, tier: "free", candidates: ["x"], reasons: [] } },
    { type: "AttemptStarted", data: { ...of(n), agent: "x", node: "n", epoch: 1, queuedMs: 0 } },
    ends,
  ];
  const events: RunEvent[] = [
    {
      type: "RunStarted",
      data: { runId: "r", pipeline: { name: "p", steps: [step] }, project: "/p", base: "b", branch: "br", agents: [], includeDirty: false },
    },
    ...attempt(1, { type: "AttemptInterrupted", data: { ...of(1), because: "stopped", usage } }),
    ...attempt(2, { type: "AttemptRejected", data: { ...of(2), gates: [], findings: [], usage } }),
    ...attempt(3, { type: "AttemptFailed", data: { ...of(3), kind: "crash", message: "gone", usage } }),
    ...attempt(4, { type: "AttemptAccepted", data: { ...of(4), gates: [] } }),
  ];
  const state = fold(events.map((event, i) => ({ event, at: i * 1000, version: i + 1 })));
  expect(finishedIn(state)).toEqual([
    { attempt: "r/a#2", pipeline: "p", step: "a", kind: "command", agent: "x", durationMs: 1000, tokens: 120, microUsd: 7 },
    { attempt: "r/a#4", pipeline: "p", step: "a", kind: "command", agent: "x", durationMs: 1000, tokens: 0, microUsd: 0 },
  ]);
});

test("three of the same step are better company than many of the same agent", () => {
  const made = (n: number, pipeline: string, path: string, agent: string): FinishedAttempt => ({
    attempt: `${n}/${path}#1`,
    pipeline,
    step: path,
    kind: "agent",
    agent,
    durationMs: 1,
    tokens: 1,
    microUsd: 1,
  });
  const same = [1, 2, 3].map((n) => made(n, "p", "fix", "old"));
  const others = [4, 5, 6, 7].map((n) => made(n, "q", "other", "x"));
  const target = made(9, "p", "fix", "x");
  expect(similarTo(target, [...same, ...others, target])).toEqual(same);
  expect(similarTo(target, [...same.slice(1), ...others, target])).toEqual(others);
  expect(similarTo({ ...target, agent: "new" }, others)).toEqual([]);
});
