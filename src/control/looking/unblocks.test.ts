import fc from "fast-check";
import { expect, test } from "vitest";
import { fold, isOver, type Pipeline, type RunState } from "../../domain/index.ts";
import { anyRichPipeline, approveOf, carryOut, groupOf, Journal, started, stepOf } from "../../domain/simulate.testkit.ts";
import { unblocks } from "./unblocks.ts";

const begun = (pipeline: Pipeline): RunState => fold([{ event: started(pipeline), version: 1, at: 0 }]);
const of = (state: RunState, step: string, more: object = {}) => unblocks(state, { kind: "approval", step, item: `r1/${step}!1`, ...more });

test("those that need it are counted, directly or through others, and each once", () => {
  const state = begun({
    name: "p",
    steps: [stepOf("a"), approveOf("ok", ["a"]), stepOf("b", ["ok"]), stepOf("c", ["ok"]), stepOf("d", ["b", "c"]), stepOf("apart")],
  });
  expect(of(state, "ok")).toBe(3);
  expect(of(state, "d")).toBe(0);
  expect(of(state, "none")).toBe(0);
});

test("a budget that holds all of the run holds every step that is not over", () => {
  const state = begun({ name: "p", steps: [stepOf("a"), stepOf("b")] });
  state.halted = { id: "run:r1", scope: "run", step: "a", limit: 1, spent: 1, item: "r1/a!1" };
  expect(of(state, "a", { kind: "budget" })).toBe(2);
  expect(of(state, "a")).toBe(0);
});

test("never more than the steps that are open beside its own, and one that comes later unblocks no more than what it waits for", () => {
  fc.assert(
    fc.property(anyRichPipeline, (pipeline) => {
      const state = begun(pipeline);
      const open = [...state.steps.values()].filter((s) => !isOver(s) && s.step.kind !== "group").length;
      for (const s of state.steps.values()) {
        const count = of(state, s.step.path);
        expect(count).toBeLessThanOrEqual(Math.max(0, open - (s.step.kind === "group" ? 0 : 1)));
        for (const need of s.step.needs) {
          const own = s.step.kind === "group" ? 0 : 1;
          expect(of(state, need)).toBeGreaterThanOrEqual(count + own);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("what comes after the group that a step is in waits for that step too", () => {
  const journal = new Journal();
  journal.append(started({ name: "p", steps: [groupOf("g", [], 2, "pipeline"), stepOf("after", ["g"]), stepOf("apart")] }));
  carryOut(journal);
  const inside = [...journal.state.steps.values()].filter((s) => s.step.parent === "g").map((s) => s.step.path);
  expect(inside).toHaveLength(2);
  // The first holds its sibling and what comes after the group; the second only that.
  expect(inside.map((path) => of(journal.state, path))).toEqual([2, 1]);
});
