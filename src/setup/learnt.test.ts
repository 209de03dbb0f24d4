import { expect, test } from "vitest";
import type { OutcomeRow } from "../store/index.ts";
import { countTruth, learntFrom } from "./learnt.ts";

let n = 0;
const row = (more: Partial<OutcomeRow>): OutcomeRow => ({
  attempt: `r/a#${(n += 1)}`,
  runId: "r",
  step: `a${n}`,
  project: "/p",
  at: n,
  agent: "small",
  tier: "free",
  type: "fix",
  verdict: "accepted",
  gates: [{ name: "test", kind: "command", verdict: "passed" }],
  microUsd: 100,
  ms: 5,
  ...more,
});
const right = { verdict: "right", because: "x" } as const;
const wrong = { verdict: "wrong", because: "x" } as const;

test("a refused result counts as wrong until somebody says otherwise, an accepted one counts only once something is known of it", () => {
  const rows = [
    row({}),
    row({ truth: right }),
    row({ truth: wrong }),
    row({ verdict: "refused" }),
    row({ verdict: "refused", truth: right }),
    row({ verdict: "failed", failure: "crash" }),
    row({ gates: [], truth: wrong }),
  ];
  expect(countTruth(rows)).toEqual({ wrong: 2, wrongAccepted: 1, right: 2, rightRefused: 1 });
});

test("a provider's failure and an interrupted attempt teach nothing of the agent; its own failure does", () => {
  const rows = [
    row({ verdict: "failed", failure: "provider" }),
    row({ verdict: "interrupted" }),
    row({ verdict: "open" }),
    row({ verdict: "failed", failure: "agent" }),
    row({ verdict: "accepted" }),
  ];
  const learnt = learntFrom(rows);
  expect(learnt.outcomes.size).toBe(2);
  expect(learnt.history.get("fix")).toEqual({ tries: 2, accepted: 1 });
});

test("what nobody knows the cost of teaches of the agent, and not that it was free", () => {
  const rows = learntFrom([row({ microUsd: 0, isUnpriced: true }), row({ microUsd: 0 })]).outcomes.rows();
  expect(rows.map(({ accepted, microUsd }) => [accepted, microUsd])).toEqual([
    [true, undefined],
    [true, 0],
  ]);
});
