import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, fold, parseEvent, schemaVersionOf, type Pipeline, type RunState, type Step } from "./index.ts";
import {
  anyMove,
  anyRichPipeline,
  approveOf,
  askOf,
  carryOut,
  finishWell,
  groupOf,
  Journal,
  move,
  moveOf,
  started,
  stepOf,
} from "./simulate.testkit.ts";

const begin = (...steps: Step[]): Journal => {
  const journal = new Journal();
  journal.append(started({ name: "p", steps }));
  carryOut(journal);
  return journal;
};
const status = (journal: Journal): Record<string, string> =>
  Object.fromEntries([...journal.state.steps].map(([path, s]) => [path, s.status]));
const done = (journal: Journal, path: string): void => {
  moveOf(journal, path, "start");
  moveOf(journal, path, "accept-empty");
  carryOut(journal);
};
const fails = (journal: Journal, path: string): void => {
  moveOf(journal, path, "start");
  moveOf(journal, path, "reject");
  carryOut(journal);
};
const once = { retry: { attempts: 1, backoffMs: 0 } };
const answer = (journal: Journal, by: string, verdict: "approve" | "reject" | "rework" | "answer", text?: string): void => {
  const [item = ""] = journal.state.inbox.keys();
  journal.append({ type: "InboxAnswered", data: { item, by, verdict, ...(text === undefined ? {} : { text }) } });
  carryOut(journal);
};

describe("branches", () => {
  test("a step that runs on failure runs only then, and what it stands for has failed all the same", () => {
    const journal = begin(
      stepOf("a", [], once),
      stepOf("b", ["a"]),
      stepOf("mend", ["a", "b"], { when: "failed" }),
      stepOf("end", ["mend"], { when: "always" }),
    );
    fails(journal, "a");
    expect(status(journal)).toMatchObject({ b: "skipped", mend: "active" });
    done(journal, "mend");
    done(journal, "end");
    expect(journal.state).toMatchObject({ status: "finished", outcome: "failed" });
    const well = begin(stepOf("a"), stepOf("mend", ["a"], { when: "failed" }));
    done(well, "a");
    expect(status(well)).toEqual({ a: "completed", mend: "skipped" });
    expect(well.state.outcome).toBe("succeeded");
  });

  test("what is skipped by its condition takes along what needs it, but not a step that judges for itself", () => {
    const journal = begin(stepOf("a", [], { if: "false" }), stepOf("b", ["a"]), stepOf("c", ["a"], { if: "true" }));
    expect(status(journal)).toEqual({ a: "skipped", b: "skipped", c: "active" });
    done(journal, "c");
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("a step that may fail fails nobody else", () => {
    const journal = begin(stepOf("a", [], { ...once, mayFail: true }), stepOf("b", ["a"]));
    fails(journal, "a");
    done(journal, "b");
    expect(status(journal)).toEqual({ a: "failed", b: "completed" });
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("a cancelled run still does what runs whatever happens", () => {
    const journal = begin(stepOf("a"), stepOf("clean", ["a"], { when: "always" }));
    moveOf(journal, "a", "start");
    move(journal, { pick: 0, what: "cancel" });
    carryOut(journal);
    expect(status(journal)).toEqual({ a: "cancelled", clean: "active" });
    done(journal, "clean");
    expect(journal.state).toMatchObject({ status: "finished", outcome: "cancelled" });
  });
});

describe("groups", () => {
  test("a list's children run at most so many at a time, and the group completes with their output", () => {
    const journal = begin(groupOf("g", [], 3, "each"), stepOf("after", ["g"]));
    expect(status(journal)).toMatchObject({ g: "active", "g/0": "active", "g/1": "active", "g/2": "ready", after: "waiting" });
    done(journal, "g/1");
    expect(status(journal)).toMatchObject({ "g/2": "active" });
    done(journal, "g/0");
    done(journal, "g/2");
    expect(journal.state.steps.get("g")).toMatchObject({ status: "completed", output: 3 });
    expect(status(journal).after).toBe("active");
  });

  test("the first child that fails stops the others, and the group says which it was", () => {
    const journal = begin(groupOf("g", [], 2, "each"));
    moveOf(journal, "g/0", "start");
    for (let i = 0; i < 3; i++) fails(journal, "g/1");
    expect(status(journal)).toEqual({ g: "failed", "g/0": "cancelled", "g/1": "failed" });
    expect(journal.state.steps.get("g")?.because).toMatch(/^g\/1 failed: all 3 attempts/);
    expect(journal.state.outcome).toBe("failed");
  });

  test("an empty list is done at once", () => {
    expect(begin(groupOf("g", [], 0, "each")).state).toMatchObject({ status: "finished", outcome: "succeeded" });
  });

  test("a repeated pipeline gets new steps for each round, with the round's inputs", () => {
    const journal = begin(groupOf("g", [], 2, "pipeline"));
    done(journal, "g/1/k0");
    done(journal, "g/1/k1");
    expect(status(journal)).toMatchObject({ g: "active", "g/2/k0": "active", "g/2/k1": "waiting" });
    expect(journal.state.scopes.get("g/2/")).toEqual({ round: 2 });
    done(journal, "g/2/k0");
    done(journal, "g/2/k1");
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("a group whose budget is spent starts no further child and asks; told to stop, it stops its children and fails by that", () => {
    const journal = begin(groupOf("g", [], 3, "each"));
    moveOf(journal, "g/0", "start");
    journal.append({ type: "BudgetExhausted", data: { scope: "step", step: "g", limit: 1_000_000, spent: 990_000 } });
    carryOut(journal);
    expect(status(journal)).toEqual({ g: "active", "g/0": "active", "g/1": "ready", "g/2": "ready" });
    answer(journal, "ann", "answer", "stop");
    expect(status(journal)).toEqual({ g: "failed", "g/0": "cancelled", "g/1": "cancelled", "g/2": "cancelled" });
    expect(journal.state.steps.get("g")?.because).toMatch(/its budget of .*1.* is spent/);
  });
});

describe("people", () => {
  test("a run whose only open steps wait for people halts for them, and goes on when enough of them agree", () => {
    const journal = begin(approveOf("ok", [], { count: 2, who: ["ann", "bob"] }), stepOf("ship", ["ok"]));
    expect(decide(journal.state, journal.now)).toEqual([{ kind: "halt", because: "people", items: ["r1/ok!1"] }]);
    answer(journal, "ann", "approve");
    answer(journal, "ann", "approve");
    answer(journal, "eve", "approve");
    expect(status(journal)).toEqual({ ok: "active", ship: "waiting" });
    answer(journal, "bob", "approve");
    expect(status(journal)).toEqual({ ok: "completed", ship: "active" });
    expect(journal.state.inbox.size).toBe(0);
  });

  test("a refusal fails the step with the reason", () => {
    const journal = begin(approveOf("ok"), stepOf("ship", ["ok"]));
    answer(journal, "ann", "reject", "not today");
    expect(journal.state.steps.get("ok")).toMatchObject({ status: "failed", because: "ann refused: not today" });
    expect(journal.state.outcome).toBe("failed");
  });

  test("silence means what the step says, and an answer after that counts for nothing", () => {
    for (const onExpiry of ["approve", "reject"] as const) {
      const journal = begin(approveOf("ok", [], { expiresMs: 1000, onExpiry }));
      const until = journal.state.inbox.get("r1/ok!1")?.expiresAt ?? 0;
      expect(decide(journal.state, journal.now)).toEqual([
        { kind: "wake", at: until },
        expect.objectContaining({ kind: "halt", because: "people" }),
      ]);
      journal.now = until;
      journal.append({
        type: "InboxAnswered",
        data: { item: "r1/ok!1", by: "ann", verdict: onExpiry === "approve" ? "reject" : "approve" },
      });
      carryOut(journal);
      expect(journal.state.steps.get("ok")?.status).toBe(onExpiry === "approve" ? "completed" : "failed");
    }
  });

  test("a question's answer is its output: one of its choices, or the default in time", () => {
    const journal = begin(askOf("q"));
    answer(journal, "ann", "answer", "maybe");
    answer(journal, "ann", "approve");
    expect(status(journal)).toEqual({ q: "active" });
    answer(journal, "ann", "answer", "no");
    expect(journal.state.steps.get("q")?.output).toEqual({ answer: "no" });
    const silent = begin(askOf("q", [], { fallback: { answer: "yes", afterMs: 100 } }));
    silent.now += 100;
    carryOut(silent);
    expect(silent.state.steps.get("q")?.output).toEqual({ answer: "yes" });
  });

  test("rework does the work again with what was said, and everything built on it, and asks again under a new item", () => {
    const journal = begin(stepOf("a"), stepOf("b", ["a"]), approveOf("ok", ["b"], { rework: ["a"] }), stepOf("ship", ["ok"]));
    done(journal, "a");
    done(journal, "b");
    answer(journal, "ann", "rework", "name it better");
    expect(status(journal)).toEqual({ a: "active", b: "waiting", ok: "waiting", ship: "waiting" });
    expect(journal.state.steps.get("a")?.attempts.at(-1)).toMatchObject({ id: "r1/a#2" });
    expect(journal.state.steps.get("a")?.feedback).toEqual([{ gate: "approval", message: "ann wants it done again: name it better" }]);
    journal.append({ type: "InboxAnswered", data: { item: "r1/ok!1", by: "bob", verdict: "approve" } });
    done(journal, "a");
    done(journal, "b");
    expect(status(journal)).toMatchObject({ ok: "active", ship: "waiting" });
    expect([...journal.state.inbox.keys()]).toEqual(["r1/ok!2"]);
    answer(journal, "bob", "approve");
    expect(status(journal).ship).toBe("active");
  });

  test("what an attempt asks leave for is forgotten when the attempt is over", () => {
    const journal = begin(stepOf("a"));
    moveOf(journal, "a", "start");
    journal.append({
      type: "InboxOpened",
      data: { item: "r1/a!1", step: "a", attempt: "r1/a#1", kind: "permission", title: "rm -rf x", choices: [], who: [], count: 1 },
    });
    expect(journal.state.inbox.size).toBe(1);
    expect(decide(journal.state, journal.now)).toEqual([]);
    moveOf(journal, "a", "interrupt");
    expect(journal.state.inbox.size).toBe(0);
  });
});

describe("in any order of events, with groups and people", () => {
  const played = (p: Pipeline, moves: Parameters<typeof move>[1][]): Journal => {
    const journal = new Journal();
    journal.append(started(p));
    for (const m of moves) {
      carryOut(journal);
      move(journal, m);
    }
    return journal;
  };
  const over = ["completed", "failed", "skipped", "cancelled"];

  test("any prefix folds to the same state, and what is written is read back the same", () => {
    fc.assert(
      fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 60 }), (p, moves) => {
        const journal = played(p, moves);
        expect(look(fold(journal.events))).toBe(look(journal.state));
        const read = journal.events.map((e) => ({
          ...e,
          event: parseEvent(e.event.type, schemaVersionOf(e.event.type), JSON.parse(JSON.stringify(e.event.data))),
        }));
        expect(look(fold(read))).toBe(look(journal.state));
      }),
      { numRuns: 200 },
    );
  });

  test("deciding twice changes nothing", () => {
    fc.assert(
      fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 40 }), (p, moves) => {
        const journal = played(p, moves);
        carryOut(journal);
        const before = journal.events.length;
        const first = decide(journal.state, journal.now);
        expect(decide(journal.state, journal.now)).toEqual(first);
        carryOut(journal);
        expect(journal.events.length).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  test("every run comes to an end in which each step is over and nothing waits", () => {
    fc.assert(
      fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 80 }), (p, moves) => {
        const journal = played(p, moves);
        finishWell(journal);
        const { state } = journal;
        expect(state.status).toBe("finished");
        expect(state.open).toBe(0);
        for (const s of state.steps.values()) {
          expect(over).toContain(s.status);
          if (s.declared.when === undefined && s.attempts.length > 0)
            for (const need of s.declared.needs) {
              const n = state.steps.get(need);
              expect(n && (n.status === "completed" || n.step.mayFail || (n.isUnneeded && s.declared.if !== undefined))).toBeTruthy();
            }
        }
        const indexes: (keyof RunState)[] = [
          "ready",
          "queued",
          "running",
          "accepted",
          "merged",
          "doomed",
          "asking",
          "concluding",
          "failing",
          "bestOf",
          "inbox",
          "pauses",
        ];
        for (const index of indexes) expect((state[index] as Set<string>).size, index).toBe(0);
        expect(state.halted).toBeUndefined();
        expect(journal.events.filter((e) => e.event.type === "RunFinished").length).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  test("no approval is passed unless enough people agreed to that very item, or silence was to mean it", () => {
    fc.assert(
      fc.property(anyRichPipeline, fc.array(anyMove, { maxLength: 80 }), (p, moves) => {
        const journal = played(p, moves);
        carryOut(journal);
        journal.events.forEach(({ event }, i) => {
          if (event.type !== "StepCompleted") return;
          const before = fold(journal.events.slice(0, i));
          const s = before.steps.get(event.data.step);
          if (s?.step.kind !== "approve") return;
          const voters = new Set<string>();
          for (const e of journal.events.slice(0, i))
            if (e.event.type === "InboxAnswered" && e.event.data.item === s.item)
              if (e.event.data.verdict === "approve") voters.add(e.event.data.by);
              else if (e.event.data.verdict !== "answer") voters.delete(e.event.data.by);
          expect(voters.size).toBeGreaterThanOrEqual(s.step.count);
        });
      }),
      { numRuns: 300 },
    );
  });
});

const look = (state: RunState): string =>
  JSON.stringify(state, (_key, value: unknown) => {
    if (value instanceof Map || value instanceof Set) return [...value];
    // Keys in one order: what was read back has that of the schema.
    return value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).toSorted()) : value;
  });
