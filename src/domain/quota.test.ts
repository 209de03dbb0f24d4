import { describe, expect, test } from "vitest";
import { decide, parseEvent, quotaWait, type StepState } from "./index.ts";
import { agentStepOf, approveOf, carryOut, Journal, moveOf, started } from "./simulate.testkit.ts";

const begin = (): Journal => {
  const journal = new Journal();
  journal.append(started({ name: "p", steps: [agentStepOf("a", [], { retry: { attempts: 2, backoffMs: 0 } }), approveOf("b", ["a"])] }));
  carryOut(journal);
  return journal;
};
const step = (journal: Journal): StepState => {
  const s = journal.state.steps.get("a");
  if (!s) throw new Error("no step");
  return s;
};
/** The running attempt meets a limit. */
const meet = (journal: Journal, retryAt: number): void => {
  moveOf(journal, "a", "start");
  const attempt = step(journal).attempts.at(-1)?.id ?? "";
  journal.append({
    type: "AttemptFailed",
    data: { attempt, step: "a", kind: "quota", message: "used up", quota: { provider: "p", retryAt } },
  });
};

describe("a step whose attempt meets a provider's limit", () => {
  test("waits until it is over, which is no try, and keeps what its next attempt is to be told", () => {
    const journal = begin();
    moveOf(journal, "a", "start");
    moveOf(journal, "a", "reject");
    carryOut(journal);
    meet(journal, 900_000);
    carryOut(journal);
    const s = step(journal);
    expect([s.status, s.tries, s.feedback.map((f) => f.message)]).toEqual(["ready", 1, ["no"]]);
    expect(quotaWait(s)).toEqual({ provider: "p", until: 900_000 });
    expect(decide(journal.state, journal.now)).toEqual([{ kind: "wake", at: 900_000 }]);
    journal.now = 900_000;
    carryOut(journal);
    expect(quotaWait(step(journal))).toBeUndefined();
    expect(step(journal).attempts.map(({ phase }) => phase)).toEqual(["rejected", "failed", "queued"]);
  });

  test("is not asked in a hurry where limits are told to be over at once, again and again", () => {
    const journal = begin();
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      meet(journal, 0);
      waits.push(step(journal).notBefore - (journal.now - 1));
      journal.now = step(journal).notBefore;
      carryOut(journal);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64].map((s) => s * 1000));
    expect(step(journal).tries).toBe(0);
  });

  test("does not wait any more when a person gives it to another agent: the limit was the first one's", () => {
    const journal = begin();
    meet(journal, 900_000);
    journal.append({ type: "StepReassigned", data: { step: "a", by: "ann", agent: "other" } });
    carryOut(journal);
    expect(step(journal).attempts.map(({ phase }) => phase)).toEqual(["failed", "queued"]);
  });

  test("keeps its run going while others wait for people: nobody needs to come for it", () => {
    const journal = new Journal();
    journal.append(started({ name: "p", steps: [agentStepOf("a"), approveOf("b")] }));
    carryOut(journal);
    meet(journal, 900_000);
    carryOut(journal);
    expect(decide(journal.state, journal.now)).toEqual([{ kind: "wake", at: 900_000 }]);
  });

  test("failures of earlier versions are read as they were written", () => {
    const data = { attempt: "r1/a#1", step: "a", kind: "stuck", message: "silent" };
    expect(parseEvent("AttemptFailed", 2, data)).toEqual({ type: "AttemptFailed", data });
    expect(parseEvent("AttemptFailed", 1, { ...data, kind: "agent" })).toEqual({ type: "AttemptFailed", data: { ...data, kind: "agent" } });
  });
});
