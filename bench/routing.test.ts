import { expect, test } from "vitest";
import { statedGate } from "../src/models/routing/economics/index.ts";
import { parseTable } from "./outcome-table.ts";
import { seeded } from "../src/models/routing/economics/economics.testkit.ts";
import { meanOf, only, paired, replay, replaySplits, type Table } from "./routing-replay.ts";

/** Three made-up models: a cheap one, a dear one that is better, and one that is dear for nothing. */
function madeUp(tasks: number): Table {
  const random = seeded(5);
  const rows = Array.from({ length: tasks }, (_, t) => {
    const hard = random();
    return {
      task: `t${t}`,
      right: [random() > hard * 0.9, random() > hard * 0.5, random() > hard * 0.8],
      microUsd: [9_000, 300_000, 500_000].map((c) => Math.round(c * (0.5 + hard))),
    };
  });
  return {
    models: ["small", "large", "waste"],
    tasks: rows.map((r) => r.task),
    right: rows.map((r) => r.right),
    microUsd: rows.map((r) => r.microUsd),
  };
}

test("a table holds the rows of one version, and only tasks that all of its models did", () => {
  const csv = ["instance_id,model,resolved,cost_usd,api_calls", "a,x@v2,1,0.5,3", "a,y@v2,0,0.25,3", "b,x@v2,0,1,3", "a,x@v1,0,9,3"].join(
    "\n",
  );
  expect(parseTable(csv, "v2")).toEqual({ models: ["x", "y"], tasks: ["a"], right: [[true, false]], microUsd: [[500_000, 250_000]] });
});

test("a replayed cascade costs every attempt it makes, and a false accept ends it with a wrong result", () => {
  const table: Table = { models: ["a", "b"], tasks: ["t"], right: [[false, true]], microUsd: [[10, 100]] };
  const cascade = [{ share: 1, agents: ["a", "b"] }];
  expect(replay(cascade, table, 0, statedGate(0, 0.1))).toEqual({ right: 1, microUsd: 110 });
  expect(replay(cascade, table, 0, statedGate(1, 0.1))).toEqual({ right: 0, microUsd: 10 });
  expect(replay(cascade, table, 0, statedGate(0.25, 0.1))).toEqual({ right: 0.75, microUsd: 85 });
});

test("what is learnt on one half holds on the other: no dearer than the static choice, and more right results", () => {
  const { means } = replaySplits(madeUp(300), { splits: 6, seed: 1, trainShare: 0.5, falseAccept: 0, trueAccept: 0.9 });
  expect(meanOf(means.stepfall, "microUsd")).toBeLessThanOrEqual(meanOf(means.static, "microUsd"));
  const gain = paired(means.stepfall, means.static, "right", seeded(1), 500);
  expect(gain.low).toBeGreaterThan(0);
  expect(meanOf(means.oracle, "right")).toBeGreaterThanOrEqual(meanOf(means.stepfall, "right"));
  expect(meanOf(means.frugal, "microUsd")).toBeLessThan(meanOf(means.strongest, "microUsd") / 2);
});

test("with one model there is nothing to choose", () => {
  const { means, plans } = replaySplits(
    only(madeUp(100), (m) => m === "small"),
    { splits: 2, seed: 1, trainShare: 0.5, falseAccept: 0.1, trueAccept: 0.9 },
  );
  expect(means.stepfall).toEqual(means.static);
  expect(plans.every((p) => p.verdict !== "cascade")).toBe(true);
});
