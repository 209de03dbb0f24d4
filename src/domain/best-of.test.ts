import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentAttempt, decide, type Decision, type Step } from "./index.ts";
import { anyMove, anyRichPipeline, bestOf, carryOut, Journal, move, moveOf, started, stepOf, type Move } from "./simulate.testkit.ts";

const begin = (...steps: Step[]): Journal => {
  const journal = new Journal();
  journal.append(started({ name: "p", steps }));
  carryOut(journal);
  return journal;
};
const status = (journal: Journal): Record<string, string> =>
  Object.fromEntries([...journal.state.steps].map(([path, s]) => [path, s.status]));
const does = (journal: Journal, path: string, ...moves: Move["what"][]): void => {
  for (const what of moves) {
    moveOf(journal, path, what);
    carryOut(journal);
  }
};
const fails = (journal: Journal, path: string): void => {
  // Three tries, as the simulation's agents have.
  for (let i = 0; i < 3; i++) does(journal, path, "start", "reject");
};
const wanted = (journal: Journal): Extract<Decision, { kind: "pick" }>[] =>
  decide(journal.state, journal.now).flatMap((d) => (d.kind === "pick" ? [d] : []));
const pick = (journal: Journal, attempt: string): void => {
  journal.append({ type: "CandidatePicked", data: { step: "fix", attempt, because: "it is right" } });
  carryOut(journal);
};
const merges = (journal: Journal): string[] => decide(journal.state, journal.now).flatMap((d) => (d.kind === "merge" ? [d.attempt] : []));

describe("a best-of step", () => {
  test("accepted work waits for all candidates; then one is asked for, and only that one is merged, and the others are not needed", () => {
    const journal = begin(bestOf("fix", [], 3), stepOf("after", ["fix"]));
    expect(status(journal)).toMatchObject({ fix: "active", "fix/1": "active", "fix/2": "active", "fix/3": "active" });
    does(journal, "fix/1", "start", "accept");
    does(journal, "fix/2", "start", "accept");
    expect([merges(journal), wanted(journal)]).toEqual([[], []]);
    fails(journal, "fix/3");
    expect(wanted(journal)).toEqual([{ kind: "pick", step: "fix", attempt: "r1/fix#1", candidates: ["r1/fix/1#1", "r1/fix/2#1"] }]);
    pick(journal, "r1/fix/2#1");
    expect(merges(journal)).toEqual(["r1/fix/2#1"]);
    does(journal, "fix/2", "intend", "merge");
    expect(status(journal)).toEqual({
      fix: "completed",
      "fix/1": "skipped",
      "fix/2": "completed",
      "fix/3": "failed",
      after: "active",
    });
    expect(journal.state.steps.get("fix/1")).toMatchObject({ isUnneeded: true, because: "another candidate was picked" });
    expect(journal.state.steps.get("fix")?.because).toBe("fix/2 is picked: it is right");
  });

  test("the only one that is accepted is picked without asking anybody", () => {
    const journal = begin(bestOf("fix", [], 2));
    does(journal, "fix/1", "start", "accept");
    fails(journal, "fix/2");
    expect(merges(journal)).toEqual(["r1/fix/1#1"]);
    expect(journal.events.flatMap(({ event }) => (event.type === "CandidatePicked" ? [event.data.because] : []))).toEqual([
      "no other candidate was accepted",
    ]);
  });

  test("none that is accepted is a failure, with what each of them says", () => {
    const journal = begin(bestOf("fix", [], 2));
    fails(journal, "fix/1");
    fails(journal, "fix/2");
    expect(journal.state.outcome).toBe("failed");
    expect(journal.state.steps.get("fix")?.because).toBe(
      "no candidate was accepted and merged. fix/1: all 3 attempts were refused; the last by g; fix/2: all 3 attempts were refused; the last by g",
    );
  });

  test("a winner that does not merge gives its place to the next, and the last one's failure is the step's", () => {
    const journal = begin(bestOf("fix", [], 2));
    for (const path of ["fix/1", "fix/2"]) does(journal, path, "start", "accept");
    pick(journal, "r1/fix/1#1");
    does(journal, "fix/1", "intend", "refuse");
    expect(status(journal)).toMatchObject({ fix: "active", "fix/1": "failed", "fix/2": "active" });
    expect(merges(journal)).toEqual(["r1/fix/2#1"]);
    does(journal, "fix/2", "refuse");
    expect(status(journal)).toMatchObject({ fix: "failed", "fix/2": "failed" });
    expect(journal.state.steps.get("fix")?.because).toContain("fix/1: its work was picked, and refused when it was to be merged");
  });

  test("a pick that comes too early, or of one that is no candidate, changes nothing", () => {
    const journal = begin(bestOf("fix", [], 2));
    does(journal, "fix/1", "start", "accept");
    pick(journal, "r1/fix/1#1");
    expect(merges(journal)).toEqual([]);
    does(journal, "fix/2", "start", "accept");
    pick(journal, "r1/fix/2#7");
    expect(merges(journal)).toEqual([]);
    expect(wanted(journal)).toHaveLength(1);
  });

  test("what waits to be picked holds up neither a cancelled run nor one that waits for a budget", () => {
    const journal = begin(bestOf("fix", [], 2));
    does(journal, "fix/1", "start", "accept");
    move(journal, { pick: 0, what: "cancel" });
    carryOut(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "cancelled" });

    const paused = begin(bestOf("fix", [], 2));
    for (const path of ["fix/1", "fix/2"]) does(paused, path, "start", "accept");
    paused.append({ type: "BudgetExhausted", data: { scope: "step", step: "fix", limit: 1, spent: 1 } });
    carryOut(paused);
    expect(decide(paused.state, paused.now).map((d) => d.kind)).toEqual(["halt"]);
    paused.append({ type: "BudgetRaised", data: { scope: "step", step: "fix", limit: 2 } });
    expect(wanted(paused)).toHaveLength(1);
  });

  test("a person who says stop to its budget ends it, what waits to be picked too", () => {
    const journal = begin(bestOf("fix", [], 2));
    for (const path of ["fix/1", "fix/2"]) does(journal, path, "start", "accept");
    journal.append({ type: "BudgetExhausted", data: { scope: "step", step: "fix", limit: 1, spent: 1 } });
    carryOut(journal);
    move(journal, { pick: 0, what: "stop" });
    carryOut(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "failed" });
    expect(status(journal)).toEqual({ fix: "failed", "fix/1": "cancelled", "fix/2": "cancelled" });
  });

  test("candidates that touch the same files do not wait for each other, and what is held keeps nobody waiting", () => {
    const journal = begin(bestOf("fix", [], 2), stepOf("wait"), stepOf("other", ["wait"], { touches: ["src/a.ts"] }));
    expect(status(journal)).toMatchObject({ "fix/1": "active", "fix/2": "active" });
    does(journal, "wait", "start", "accept-empty");
    does(journal, "fix/1", "start", "accept");
    expect(status(journal)["other"]).toBe("ready");
    does(journal, "fix/2", "start", "accept");
    expect(status(journal)["other"]).toBe("active");
  });
});

test("whatever happens, a best-of step merges one candidate at most, and none that was not picked", () => {
  fc.assert(
    fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 80 }), (pipeline, moves) => {
      const journal = begin(...pipeline.steps);
      for (const m of moves) {
        move(journal, m);
        carryOut(journal);
      }
      const { state } = journal;
      for (const s of state.steps.values()) {
        if (s.step.kind !== "group" || s.step.body.kind !== "best-of") continue;
        const children = (s.group?.children ?? []).flatMap((path) => state.steps.get(path) ?? []);
        const done = children.filter((c) => c.status === "completed");
        expect(done.length).toBeLessThanOrEqual(1);
        for (const c of done) expect(currentAttempt(c)?.id).toBe(s.group?.picked);
      }
    }),
    { numRuns: 200 },
  );
});
