import { describe, expect, test } from "vitest";
import { currentAttempt, type RunState } from "./index.ts";
import { agentStepOf, carryOut, Journal, moveOf, started } from "./simulate.testkit.ts";

const begin = (): Journal => {
  const journal = new Journal();
  journal.append(started({ name: "p", steps: [agentStepOf("a", [], { retry: { attempts: 1, backoffMs: 0 } })] }));
  carryOut(journal);
  return journal;
};
const step = (state: RunState) => {
  const s = state.steps.get("a");
  if (!s) throw new Error("no step");
  return { s, a: currentAttempt(s) };
};

describe("a step that a person gives to another agent", () => {
  test("what runs is stopped, does not count as a try, and the next attempt is for the other", () => {
    const journal = begin();
    moveOf(journal, "a", "start");
    journal.append({ type: "StepReassigned", data: { step: "a", by: "ann", agent: "other", because: "too slow" } });
    carryOut(journal);
    const { s, a } = step(journal.state);
    expect(s.attempts.map(({ phase }) => phase)).toEqual(["interrupted", "queued"]);
    expect(s.attempts[0]?.interrupted?.because).toBe("reassigned by ann: too slow");
    expect(s.tries).toBe(0);
    expect(s.assigned).toEqual({ agent: "other", not: [] });
    moveOf(journal, "a", "start");
    carryOut(journal);
    expect(a?.phase).toBe("running");
  });

  test("what nobody has started is routed anew, and agents it was taken from add up until one is named", () => {
    const journal = begin();
    for (const not of ["x", "y", "y"]) {
      journal.append({ type: "StepReassigned", data: { step: "a", by: "ann", not } });
      carryOut(journal);
    }
    expect(step(journal.state).s.assigned).toEqual({ not: ["x", "y"] });
    expect(step(journal.state).s.attempts.map(({ phase }) => phase)).toEqual(["interrupted", "interrupted", "interrupted", "queued"]);
    journal.append({ type: "StepReassigned", data: { step: "a", by: "ann", agent: "x" } });
    carryOut(journal);
    expect(step(journal.state).s.assigned).toEqual({ agent: "x", not: [] });
  });

  test("work that is accepted already stays accepted", () => {
    const journal = begin();
    moveOf(journal, "a", "start");
    moveOf(journal, "a", "accept");
    journal.append({ type: "StepReassigned", data: { step: "a", by: "ann", agent: "other" } });
    carryOut(journal);
    expect(step(journal.state).a?.phase).toBe("accepted");
    moveOf(journal, "a", "merge");
    carryOut(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "succeeded" });
  });
});

describe("a conversation that is kept", () => {
  const kept = { attempt: "r1/a#1", step: "a", agent: "a", session: "s1", from: "b0", folder: "r1/a#1" };

  test("waits for the next attempt, which takes it once", () => {
    const journal = begin();
    moveOf(journal, "a", "start");
    journal.append({ type: "SessionKept", data: kept });
    journal.append({ type: "AttemptInterrupted", data: { attempt: "r1/a#1", step: "a", because: "stopped" } });
    carryOut(journal);
    expect(step(journal.state).s.session).toEqual({ agent: "a", session: "s1", from: "b0", folder: "r1/a#1" });
    moveOf(journal, "a", "start");
    journal.append({ type: "SessionTaken", data: { attempt: "r1/a#2", step: "a", session: "s1", folder: "r1/a#1" } });
    expect(step(journal.state)).toMatchObject({ a: { resumes: { session: "s1", folder: "r1/a#1" } } });
    expect(step(journal.state).s.session).toBeUndefined();
  });

  test("is not taken from an attempt that is over", () => {
    const journal = begin();
    moveOf(journal, "a", "start");
    moveOf(journal, "a", "reject");
    journal.append({ type: "SessionKept", data: kept });
    expect(step(journal.state).s.session).toBeUndefined();
  });
});
