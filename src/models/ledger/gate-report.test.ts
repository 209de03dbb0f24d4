import { expect, test } from "vitest";
import type { GateResult } from "../../domain/index.ts";
import type { OutcomeRow } from "../../store/index.ts";
import { gateReport, type Judgement } from "./index.ts";
import { proportion } from "./proportion.ts";

const gate = (name: string, verdict: GateResult["verdict"], more: Partial<GateResult> = {}): GateResult => ({
  name,
  kind: "command",
  verdict,
  durationMs: 10,
  ...more,
});
const judged = (attempt: string, isAccepted: boolean, ...gates: GateResult[]): Judgement => ({ attempt, gates, isAccepted });
const truth = (attempt: string, verdict: "right" | "wrong"): OutcomeRow => ({
  attempt,
  runId: "r",
  step: "a",
  project: "/p",
  at: 1,
  agent: "x",
  tier: "free",
  type: "fix",
  verdict: "accepted",
  gates: [],
  microUsd: 0,
  ms: 1,
  truth: { verdict, because: "somebody said so" },
});

test("what became known later is traced back to each gate that had judged it", () => {
  const judgements = [
    judged("1", true, gate("lint", "passed"), gate("test", "passed")), // wrong, as a person says later
    judged("2", true, gate("lint", "passed"), gate("test", "passed")), // right
    judged("3", true, gate("lint", "passed"), gate("test", "passed")), // nobody knows
    judged("4", false, gate("lint", "passed"), gate("test", "refused")), // refused, and nobody came back to it
    judged("5", false, gate("lint", "refused"), gate("test", "passed")), // refused, and right after all
    judged("6", false, gate("lint", "errored"), gate("test", "errored")), // says nothing of the work
  ];
  const [lint, tests] = gateReport(judgements, [truth("1", "wrong"), truth("2", "right"), truth("5", "right")]);
  expect(lint).toMatchObject({
    name: "lint",
    verdicts: { passed: 4, refused: 1, errored: 1 },
    known: 3,
    takenForWrong: 1,
    durationMs: 60,
    caughtElsewhere: 1,
  });
  expect(lint?.falseAccepts).toMatchObject({ hits: 2, of: 2 });
  expect(lint?.falseRefusals).toMatchObject({ hits: 1, of: 2 });
  expect(tests?.falseAccepts).toMatchObject({ hits: 1, of: 2 });
  expect(tests?.falseRefusals).toMatchObject({ hits: 0, of: 2 });
  expect(tests?.caughtElsewhere).toBe(0);
  expect(tests).not.toHaveProperty("microUsd");
});

test("gates of one name and another kind are apart, and what a gate asks of models is summed", () => {
  const report = gateReport(
    [
      judged("1", true, gate("x", "passed"), gate("x", "passed", { kind: "judge", microUsd: 7 })),
      judged("2", true, gate("x", "passed", { kind: "judge", microUsd: 5 })),
    ],
    [],
  );
  expect(report.map((g) => [g.kind, g.verdicts.passed, g.microUsd])).toEqual([
    ["judge", 2, 12],
    ["command", 1, undefined],
  ]);
});

test("shares have the score interval of the books", () => {
  const { share, low, high } = proportion(3, 12);
  expect([share, low, high].map((x) => x.toFixed(3))).toEqual(["0.250", "0.089", "0.532"]);
  expect(proportion(0, 10)).toMatchObject({ low: 0 });
  expect(proportion(10, 10)).toMatchObject({ high: 1 });
  expect(proportion(0, 0)).toMatchObject({ low: 0, high: 1 });
});
