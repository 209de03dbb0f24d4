import { expect, test } from "vitest";
import type { RunEvent, Step } from "../../../../src/domain/index.ts";
import { madeUpJournal, recordedIn } from "../../../../src/domain/made-up-journal.testkit.ts";
import {
  agentStepOf,
  approveOf,
  bestOf,
  carryOut,
  groupOf,
  moveOf,
  move,
  stepOf,
  type Journal,
} from "../../../../src/domain/simulate.testkit.ts";
import { changeOf } from "./change-of.ts";
import { drawnFor, graphShape, shapeKey } from "./graph.ts";
import { RunHistory } from "./history.ts";
import { place } from "./place.ts";
import { costNow, spentByAttempt } from "./spent.ts";
import { listOrder, shareViews, stepViews } from "./step-view.ts";
import { neighbour } from "./walk.ts";
import { whyOf } from "./why.ts";

const run = (steps: Step[]): Journal => madeUpJournal({ name: "p", steps });

const historyOf = (journal: Journal): RunHistory => {
  const history = new RunHistory();
  history.follow(recordedIn(journal));
  return history;
};

const fanned = (): Journal => run([stepOf("a"), groupOf("g", [], 3, "each"), stepOf("z", ["a", "g"])]);

test("a group is one node with counts; unfolded, its children stand between it and what needs it", () => {
  const { state } = fanned();
  const folded = graphShape(state, new Set());
  expect(folded.nodes).toEqual(["a", "g", "z"]);
  expect(folded.edges).toEqual([
    { from: "a", to: "z" },
    { from: "g", to: "z" },
  ]);
  expect(stepViews(state).get("g")?.fan).toMatchObject({ how: "each", total: 3, counts: { queued: 2, ready: 1 } });
  const open = graphShape(state, new Set(["g"]));
  expect(open.nodes).toEqual(["a", "g", "g/0", "g/1", "g/2", "z"]);
  expect(open.edges).toContainEqual({ from: "g", to: "g/1" });
  expect(open.edges).toContainEqual({ from: "g/1", to: "z" });
  expect(open.edges).not.toContainEqual({ from: "g", to: "z" });
});

test("the shape stays the same while attempts come and go, and changes when a group gets its children", () => {
  const journal = fanned();
  const before = shapeKey(journal.state, new Set(["g"]));
  moveOf(journal, "a", "start");
  carryOut(journal);
  expect(shapeKey(journal.state, new Set(["g"]))).toBe(before);
  const early = historyOf(journal).at(1);
  expect(shapeKey(early, new Set(["g"]))).not.toBe(before);
});

test("a step in a folded group is shown by the group", () => {
  const { state } = fanned();
  expect(drawnFor(state, "g/1", new Set())).toBe("g");
  expect(drawnFor(state, "g/1", new Set(["g"]))).toBe("g/1");
});

test("nodes are laid out from left to right along what they need, and arrow keys walk them", () => {
  const { state } = fanned();
  const placed = place(graphShape(state, new Set(["g"])));
  const x = (path: string): number => placed.get(path)?.x ?? Number.NaN;
  expect(x("g")).toBeLessThan(x("g/0"));
  expect(x("g/2")).toBeLessThan(x("z"));
  expect(neighbour(placed, "g", "right")).toMatch(/^g\//);
  expect(neighbour(placed, "z", "left")).not.toBe("z");
  expect(neighbour(placed, "z", "right")).toBeUndefined();
});

test("what failed comes first in the list, then what waits for people", () => {
  const journal = run([stepOf("good"), stepOf("bad", [], { retry: { attempts: 1, backoffMs: 0 } }), stepOf("later", ["good"])]);
  moveOf(journal, "bad", "start");
  moveOf(journal, "bad", "fail");
  carryOut(journal);
  expect(listOrder(stepViews(journal.state)).map((v) => [v.path, v.status])).toEqual([
    ["bad", "failed"],
    ["good", "queued"],
    ["later", "waiting"],
  ]);
});

test("of what failed in a group the step comes first that did, since it has the reason, and then the group that counts it", () => {
  const journal = run([groupOf("g", [], 2, "each"), stepOf("z", ["g"])]);
  for (const n of [1, 2, 3]) {
    moveOf(journal, "g/0", "start");
    moveOf(journal, "g/0", "fail");
    carryOut(journal);
    expect(n).toBeLessThan(4);
  }
  const order = listOrder(stepViews(journal.state)).filter((v) => v.status === "failed");
  expect(order.map((v) => v.path)).toEqual(["g/0", "g"]);
});

test("a step's change is that of the attempt that counts, by what had happened then", () => {
  const journal = run([agentStepOf("fix", [], { retry: { attempts: 3, backoffMs: 0 } })]);
  const ofFix = (n: number): { attempt: string; step: string } => ({ attempt: `r1/fix#${n}`, step: "fix" });
  const change = (wanted?: string) => changeOf(journal.state.steps.get("fix")!, wanted).attempt;
  moveOf(journal, "fix", "start");
  expect(change()).toBeUndefined();
  journal.append({
    type: "AttemptRejected",
    data: { ...ofFix(1), commit: "c1", gates: [], findings: [{ gate: "g", message: "no" }] },
  });
  expect(change()).toBe("r1/fix#1");
  carryOut(journal);
  moveOf(journal, "fix", "start");
  expect(change()).toBe("r1/fix#1");
  expect(change("r1/fix#2")).toBeUndefined();
  moveOf(journal, "fix", "accept");
  expect(change()).toBe("r1/fix#2");
  expect(change("r1/fix#1")).toBe("r1/fix#1");
});

test("what a run has cost is what the ledger has, never less than attempts have said, and as it was what they had said then", () => {
  const over = { microUsd: 500, provenance: "reported" } as const;
  const bill = (microUsd: number) => ({
    rows: [
      { attempt: "r/a#1", microUsd: microUsd - 100, calls: 2 },
      { attempt: "r/a#1", microUsd: 100, calls: 1 },
    ],
    total: { microUsd, provenance: "estimated" as const },
  });
  expect(costNow(over, bill(900), true)).toEqual({ microUsd: 900, provenance: "estimated", from: "ledger" });
  expect(costNow(over, bill(300), true)).toEqual({ microUsd: 500, provenance: "reported", from: "ledger" });
  expect(costNow(over, bill(900), false)).toEqual({ ...over, from: "attempts" });
  expect(costNow(over, undefined, true)).toEqual({ ...over, from: "attempts" });
  expect(costNow(undefined, { ...bill(0), rows: [] }, true)).toBeUndefined();
  expect(costNow(over, { ...bill(0), rows: [] }, true)).toEqual({ ...over, from: "ledger" });
  expect([...spentByAttempt(bill(900))]).toEqual([["r/a#1", { microUsd: 900, calls: 3 }]]);
});

test("views of steps that did not change are the same objects, so nothing draws them again", () => {
  const journal = run([stepOf("a"), stepOf("b")]);
  const before = shareViews(new Map(), stepViews(journal.state));
  expect(shareViews(before, stepViews(journal.state))).toBe(before);
  moveOf(journal, "a", "start");
  const after = shareViews(before, stepViews(journal.state));
  expect(after.get("b")).toBe(before.get("b"));
  expect(after.get("a")).not.toBe(before.get("a"));
});

test("costs add up over attempts and below groups, and one unknown makes the sum unknown", () => {
  const journal = run([bestOf("g", [], 2)]);
  const spent = (path: string, microUsd: number, provenance: "reported" | "unknown"): RunEvent => ({
    type: "AttemptRejected",
    data: {
      attempt: `r1/${path}#1`,
      step: path,
      gates: [],
      findings: [{ gate: "test", message: "no" }],
      usage: { calls: 1, inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, microUsd, provenance },
    },
  });
  expect(stepViews(journal.state).get("g")?.cost).toBeUndefined();
  moveOf(journal, "g/1", "start");
  journal.append(spent("g/1", 500, "reported"));
  moveOf(journal, "g/2", "start");
  journal.append(spent("g/2", 250, "unknown"));
  expect(stepViews(journal.state).get("g/1")?.cost).toEqual({ microUsd: 500, provenance: "reported" });
  expect(stepViews(journal.state).get("g")?.cost).toEqual({ microUsd: 750, provenance: "unknown" });
});

test("why an attempt went where it went: what was before it, how hard it looked, and the reasons as routing gave them", () => {
  const journal = run([agentStepOf("fix", [], { retry: { attempts: 3, backoffMs: 0 } })]);
  moveOf(journal, "fix", "start");
  moveOf(journal, "fix", "reject");
  journal.append({
    type: "AttemptRouted",
    data: {
      attempt: "r1/fix#2",
      step: "fix",
      n: 2,
      tier: "premium",
      candidates: ["a", "b"],
      reasons: ["its ceiling is premium"],
      complexity: 7,
      escalatedFrom: "mid",
    },
  });
  const history = historyOf(journal);
  const state = history.at(history.last);
  const s = state.steps.get("fix");
  const why = s && whyOf(s, s.attempts[1]!, history.facts, history.last);
  expect(why?.tier).toBe("premium");
  expect(why?.facts).toEqual([
    { name: "Escalated", text: "from mid, whose tries were no good" },
    { name: "After", text: "attempt 1 was refused by g" },
    { name: "Complexity", text: "7 of 10" },
    { name: "Could have gone to", text: "a, b" },
  ]);
  expect(why?.reasons).toEqual(["its ceiling is premium"]);
});

test("an approval that waits is people's, and as it was before its answer it still is", () => {
  const journal = run([approveOf("x", [], { title: "Ship?" })]);
  const asked = journal.state.version;
  move(journal, { pick: 0, what: "approve" });
  carryOut(journal);
  const history = historyOf(journal);
  expect(stepViews(history.at(asked)).get("x")?.status).toBe("people");
  expect(history.facts.waits(asked)[0]).toMatchObject({ title: "Ship?", said: [] });
  expect(history.facts.waits(asked)[0]?.closed).toBeUndefined();
  expect(stepViews(history.at(history.last)).get("x")?.status).toBe("completed");
  expect(history.facts.waits(history.last)[0]).toMatchObject({ said: [{ by: "ann", verdict: "approve" }] });
  expect(history.facts.waits(history.last)[0]?.closed).toBeDefined();
});
