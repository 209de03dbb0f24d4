import fc from "fast-check";
import { expect, test } from "vitest";
import { fold, stillWaits, waitedForPeople, type RunEvent, type RunState } from "./index.ts";
import { madeUpJournal } from "./made-up-journal.testkit.ts";
import { anyMove, anyRichPipeline, approveOf, started, stepOf } from "./simulate.testkit.ts";

/** The same by looking at everything, and not at what the fold keeps for it. */
function onlyPeople(state: RunState): boolean {
  const steps = [...state.steps.values()];
  const isBusy = steps.some(
    (s) => s.status === "active" && ["queued", "running", "accepted", "merging", "merged"].includes(s.attempts.at(-1)?.phase ?? ""),
  );
  return state.status === "running" && !isBusy && [...state.inbox.values()].some(stillWaits);
}

test("what a run waited for people is the time between the events at which nothing but people was waited for, wherever one looks", () => {
  let waits = 0;
  fc.assert(
    fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 30 }), fc.boolean(), (pipeline, moves, end) => {
      const { events } = madeUpJournal(pipeline, moves, { end });
      const state = fold([]);
      let expected = 0;
      let before: { at: number; waits: boolean } | undefined;
      for (const e of events) {
        if (before?.waits) expected += e.at - before.at;
        // Looked at a moment before, as a list of runs does.
        if (before) expect(waitedForPeople(state, e.at)).toBe(expected);
        fold([e], state);
        before = { at: e.at, waits: onlyPeople(state) };
        if (before.waits) waits += 1;
      }
      expect(waitedForPeople(state, (before?.at ?? 0) + 1000)).toBe(expected + (before?.waits ? 1000 : 0));
    }),
  );
  expect(waits).toBeGreaterThan(50);
});

const opened: RunEvent = {
  type: "InboxOpened",
  data: { item: "r1/ok!1", step: "ok", kind: "approval", title: "?", choices: [], who: [], count: 2 },
};
const said = (by: string): RunEvent => ({ type: "InboxAnswered", data: { item: "r1/ok!1", by, verdict: "approve" } });

test("of two who must agree the first ends no wait, the second does, before anybody goes on with it; a clock that is set back takes nothing", () => {
  const begun = started({ name: "p", steps: [approveOf("ok"), stepOf("after", ["ok"])] });
  const at = (events: readonly (readonly [number, RunEvent])[]) => fold(events.map(([t, event], i) => ({ event, at: t, version: i + 1 })));
  const one = at([
    [1000, begun],
    [2000, opened],
    [5000, said("ann")],
  ]);
  expect([waitedForPeople(one, 6000), [...one.inbox.values()].map(stillWaits)]).toEqual([4000, [true]]);
  const two = at([
    [1000, begun],
    [2000, opened],
    [5000, said("ann")],
    [7000, said("bob")],
  ]);
  expect([waitedForPeople(two, 60_000), [...two.inbox.values()].map(stillWaits)]).toEqual([5000, [false]]);
  expect(
    waitedForPeople(
      at([
        [1000, begun],
        [2000, opened],
        [500, said("ann")],
        [700, said("bob")],
      ]),
      9000,
    ),
  ).toBe(0);
});
