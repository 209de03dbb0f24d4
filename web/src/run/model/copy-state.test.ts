import fc from "fast-check";
import { expect, test } from "vitest";
import { apply, currentAttempt, fold, type RunEvent } from "../../../../src/domain/index.ts";
import { madeUpJournal } from "../../../../src/domain/made-up-journal.testkit.ts";
import { anyMove, anyRichPipeline, carryOut, stepOf, type Journal } from "../../../../src/domain/simulate.testkit.ts";
import { copyState } from "./copy-state.ts";

/** What is said to running agents, and by them. */
function talk(journal: Journal): void {
  for (const path of journal.state.running) {
    const attempt = currentAttempt(journal.state.steps.get(path) ?? ({ attempts: [] } as never));
    if (!attempt) continue;
    const of = { attempt: attempt.id, step: path };
    const n = (attempt.messages?.length ?? 0) + 1;
    const request = `${path} ${journal.events.length}`;
    const events: RunEvent[] = [
      { type: "MessageDelivered", data: { ...of, n: n - 1 } },
      { type: "MessageSent", data: { ...of, n, text: "look again", by: "ann" } },
      { type: "AgentReported", data: { ...of, request, text: "half" } },
      { type: "BlackboardPut", data: { ...of, request: `${request} b`, key: "k", value: n, version: n } },
    ];
    for (const event of events) journal.append(event);
  }
}

test("a budget stop that has not been asked about yet is asked about in the copy, and there alone", () => {
  const journal = madeUpJournal({ name: "p", steps: [stepOf("a")] });
  journal.append({ type: "BudgetExhausted", data: { scope: "run", limit: 1, spent: 1, needed: 1 } });
  const state = fold(journal.events);
  const copy = copyState(state);
  carryOut(journal);
  for (const event of journal.events.slice(state.version)) apply(copy, event);
  expect(copy).toEqual(journal.state);
  expect(copy.halted?.item).toBe("r1/a!1");
  expect(state.halted?.item).toBeUndefined();
});

test("folding a copy on leaves the state alone that it was copied from, and is no other than folding that state", () => {
  fc.assert(
    fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 40 }), fc.nat(1000), (pipeline, moves, cut) => {
      const journal = madeUpJournal(pipeline, moves, { afterMove: talk });
      const at = 1 + (cut % journal.events.length);
      const state = fold(journal.events.slice(0, at));
      const before = structuredClone(state);
      const copy = copyState(state);
      expect(copy).toEqual(before);
      for (const event of journal.events.slice(at)) apply(copy, event);
      expect(state).toEqual(before);
      expect(copy).toEqual(journal.state);
    }),
    { numRuns: 80 },
  );
});
