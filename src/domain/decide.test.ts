import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, fold, parseEvent, schemaVersionOf, touchesOverlap, type Decision, type Pipeline } from "./index.ts";
import { anyMove, anyPipeline, carryOut, finishWell, Journal, move, moveOf, started, stepOf } from "./simulate.testkit.ts";

const pipeline = (...steps: ReturnType<typeof stepOf>[]): Pipeline => ({ name: "p", steps });
const begin = (p: Pipeline): Journal => {
  const journal = new Journal();
  journal.append(started(p));
  return journal;
};
const routed = (decisions: Decision[]): string[] => decisions.flatMap((d) => (d.kind === "route" ? [d.step] : []));
const events = (journal: Journal): string[] => journal.events.map((e) => e.event.type);

describe("decide", () => {
  test("a step starts the moment its own needs are met, not when its layer is", () => {
    const journal = begin(pipeline(stepOf("slow"), stepOf("fast"), stepOf("after-fast", ["fast"])));
    carryOut(journal);
    moveOf(journal, "fast", "accept-empty");
    expect(routed(decide(journal.state, journal.now))).toEqual([]);
    carryOut(journal);
    expect([...journal.state.queued]).toEqual(["slow", "after-fast"]);
  });

  test("the longest remaining path goes first, priority before it", () => {
    const journal = begin(pipeline(stepOf("short"), stepOf("long"), stepOf("tail", ["long"]), stepOf("urgent", [], { priority: 1 })));
    expect(routed(decide(journal.state, 0))).toEqual(["urgent", "long", "short"]);
  });

  test("a refused attempt is tried again with its findings, until its attempts are used up", () => {
    const journal = begin(pipeline(stepOf("a", [], { retry: { attempts: 2, backoffMs: 0 } }), stepOf("b", ["a"]), stepOf("c")));
    carryOut(journal);
    moveOf(journal, "a", "reject");
    expect(decide(journal.state, journal.now)).toContainEqual(
      expect.objectContaining({ kind: "route", attempt: "r1/a#2", feedback: [{ gate: "g", message: "no" }] }),
    );
    carryOut(journal);
    moveOf(journal, "a", "reject");
    carryOut(journal);
    expect(journal.state.steps.get("a")?.because).toBe("all 2 attempts were refused; the last by g");
    expect(journal.state.steps.get("b")).toMatchObject({ status: "skipped", because: "a failed" });
    expect(journal.state.status).toBe("running");
    finishWell(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "failed" });
  });

  test("an interrupted attempt does not count as a try", () => {
    const journal = begin(pipeline(stepOf("a", [], { retry: { attempts: 1, backoffMs: 0 } })));
    for (let i = 0; i < 5; i++) {
      carryOut(journal);
      move(journal, { pick: 0, what: "interrupt" });
    }
    finishWell(journal);
    expect(journal.state.outcome).toBe("succeeded");
    expect(journal.state.steps.get("a")?.attempts.length).toBe(6);
  });

  test("work that does not merge is done again without using up a try, three times at most", () => {
    const journal = begin(pipeline(stepOf("a", [], { retry: { attempts: 1, backoffMs: 0 } })));
    for (let i = 0; i < 3; i++) {
      carryOut(journal);
      expect(journal.state.steps.get("a")?.status).toBe("active");
      moveOf(journal, "a", "accept");
      moveOf(journal, "a", "refuse");
    }
    carryOut(journal);
    expect(journal.state.steps.get("a")?.because).toContain("accepted 3 times and refused each time");
  });

  test("steps that touch the same files never run at the same time", () => {
    const journal = begin(
      pipeline(
        stepOf("a", [], { touches: ["src/**"] }),
        stepOf("b", [], { touches: ["src/x.ts"] }),
        stepOf("c", [], { touches: ["docs/"] }),
      ),
    );
    carryOut(journal);
    expect([...journal.state.queued]).toEqual(["a", "c"]);
    moveOf(journal, "a", "accept");
    carryOut(journal);
    expect(journal.state.steps.get("b")?.status).toBe("ready");
    moveOf(journal, "a", "merge");
    carryOut(journal);
    expect(journal.state.steps.get("b")?.status).toBe("active");
  });

  test("a spent run budget starts nothing new and halts when nothing is in flight; raised, it goes on", () => {
    const journal = begin(pipeline(stepOf("a"), stepOf("b", ["a"]), stepOf("queued")));
    carryOut(journal);
    moveOf(journal, "a", "start");
    journal.append({ type: "BudgetExhausted", data: { scope: "run", limit: 1, spent: 1 } });
    carryOut(journal);
    expect(journal.state.steps.get("queued")).toMatchObject({ status: "ready", tries: 0 });
    expect(decide(journal.state, 0)).toEqual([]);
    moveOf(journal, "a", "accept-empty");
    carryOut(journal);
    expect(decide(journal.state, 0)).toEqual([{ kind: "halt", because: "budget", id: "run:r1", limit: 1, spent: 1 }]);
    finishWell(journal);
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("a provider's failure waits longer each time", () => {
    const journal = begin(pipeline(stepOf("a")));
    carryOut(journal);
    journal.append({ type: "AttemptFailed", data: { attempt: "r1/a#1", step: "a", kind: "provider", message: "503" } });
    const at = journal.events.at(-1)?.at ?? 0;
    expect(decide(journal.state, at)).toEqual([{ kind: "wake", at: at + 1000 }]);
    expect(routed(decide(journal.state, at + 1000))).toEqual(["a"]);
  });

  test("cancel ends what is queued or running, lets a merge through, and finishes as cancelled", () => {
    const journal = begin(pipeline(stepOf("a"), stepOf("b"), stepOf("c", ["b"])));
    carryOut(journal);
    moveOf(journal, "a", "start");
    moveOf(journal, "b", "accept");
    move(journal, { pick: 0, what: "cancel" });
    expect(decide(journal.state, 0).map((d) => d.kind)).toEqual(expect.arrayContaining(["stop", "merge"]));
    carryOut(journal);
    moveOf(journal, "b", "merge");
    carryOut(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "cancelled" });
    expect([...journal.state.steps.values()].map((s) => s.status)).toEqual(["cancelled", "completed", "cancelled"]);
  });
});

describe("in any order of events", () => {
  test("any prefix of any journal folds to the state the engine had then", () => {
    fc.assert(
      fc.property(anyPipeline, fc.array(anyMove, { maxLength: 60 }), (p, moves) => {
        const journal = begin(p);
        const seen: string[] = [];
        const look = (): string => JSON.stringify(journal.state, show);
        for (const m of moves) {
          carryOut(journal);
          move(journal, m);
          seen[journal.events.length] = look();
        }
        for (let n = 0; n <= journal.events.length; n++) {
          const again = JSON.stringify(fold(journal.events.slice(0, n)), show);
          if (seen[n] !== undefined) expect(again).toBe(seen[n]);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("deciding twice changes nothing", () => {
    fc.assert(
      fc.property(anyPipeline, fc.array(anyMove, { maxLength: 60 }), (p, moves) => {
        const journal = begin(p);
        for (const m of moves) {
          carryOut(journal);
          const before = journal.events.length;
          const first = decide(journal.state, journal.now);
          expect(decide(journal.state, journal.now)).toEqual(first);
          carryOut(journal);
          expect(journal.events.length).toBe(before);
          move(journal, m);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("no step is lost: every run comes to an end in which each step is over, and none ran before its needs", () => {
    fc.assert(
      fc.property(anyPipeline, fc.array(anyMove, { maxLength: 80 }), (p, moves) => {
        const journal = begin(p);
        for (const m of moves) {
          carryOut(journal);
          move(journal, m);
        }
        finishWell(journal);
        const { state } = journal;
        expect(state.status).toBe("finished");
        for (const s of state.steps.values()) {
          expect(["completed", "failed", "skipped", "cancelled"]).toContain(s.status);
          const first = s.attempts[0];
          for (const need of s.step.needs) {
            const n = state.steps.get(need);
            if (first) expect(n?.status).toBe("completed");
            if (first) expect(n?.endedAt).toBeLessThan(first.routedAt);
            if (n?.status === "failed") expect(["skipped", "cancelled"]).toContain(s.status);
          }
        }
        expect(state.open).toBe(0);
        for (const index of [state.ready, state.queued, state.running, state.accepted, state.merged, state.doomed])
          expect(index.size).toBe(0);
        const ends = journal.events.filter((e) => e.event.type.startsWith("Step") && e.event.type !== "StepReassigned");
        expect(ends.length).toBe(p.steps.length);
        expect(events(journal).filter((t) => t === "RunFinished").length).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  test("what is written to a journal is read back the same", () => {
    fc.assert(
      fc.property(anyPipeline, fc.array(anyMove, { maxLength: 20 }), (p, moves) => {
        const journal = begin(p);
        for (const m of moves) {
          carryOut(journal);
          move(journal, m);
        }
        for (const { event } of journal.events)
          expect(parseEvent(event.type, schemaVersionOf(event.type), JSON.parse(JSON.stringify(event.data)))).toEqual(
            JSON.parse(JSON.stringify(event)),
          );
      }),
      { numRuns: 50 },
    );
  });
});

test("overlap errs only towards yes", () => {
  expect(touchesOverlap(["src/a.ts"], ["src/b.ts"])).toBe(false);
  expect(touchesOverlap(["src/**"], ["docs/**"])).toBe(false);
  expect(touchesOverlap(["src/**/x.ts"], ["src/x.ts"])).toBe(true);
  expect(touchesOverlap(["src"], ["src/x.ts"])).toBe(true);
  expect(touchesOverlap(["*.md"], ["README.md"])).toBe(true);
  expect(touchesOverlap(["**"], ["any/thing"])).toBe(true);
  expect(touchesOverlap(["lib/a*"], ["lib/b*"])).toBe(false);
  expect(touchesOverlap(["{src/a.js,src/b.js}"], ["{src/b.js,src/c.js}"])).toBe(true);
  expect(touchesOverlap(["lib/{a/x,b/y}"], ["docs/b/y"])).toBe(false);
});

const show = (_key: string, value: unknown): unknown => (value instanceof Map ? [...value] : value instanceof Set ? [...value] : value);
