import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountsOf,
  BUDGET_PERIODS,
  currentBudgetId,
  decide,
  parseBudgetAnswer,
  parseBudgetId,
  parseEvent,
  periodBudgetId,
  periodEnd,
  periodStart,
  suggestedRaise,
  whyNoAnswer,
  type EventData,
  type InboxItem,
  type Step,
} from "./index.ts";
import { agentStepOf, carryOut, finishWell, groupOf, Journal, moveOf, started, stepOf } from "./simulate.testkit.ts";

const anyTime = fc.integer({ min: 0, max: Date.UTC(2090, 0, 1) });

describe("accounts", () => {
  test("a period holds its time, is one account from its start to its end, and then another one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...BUDGET_PERIODS),
        anyTime,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (per, at, share) => {
          const start = periodStart(per, at);
          const end = periodEnd(per, at) ?? Infinity;
          expect(start).toBeLessThanOrEqual(at);
          expect(end).toBeGreaterThan(at);
          const id = periodBudgetId("fleet", per, at);
          const within = start + Math.floor((Math.min(end, start + 400 * 86_400_000) - start) * share);
          expect(periodBudgetId("fleet", per, within)).toBe(id);
          if (end === Infinity) return;
          expect(periodBudgetId("fleet", per, end)).not.toBe(id);
          expect(currentBudgetId(id, end)).toBe(periodBudgetId("fleet", per, end));
          expect(parseBudgetId(id)).toEqual({ scope: "fleet", stream: "fleet", per, until: end });
        },
      ),
    );
  });

  test("weeks begin on Monday, months on their first, all in UTC", () => {
    const at = Date.parse("2026-03-01T23:30:00-05:00");
    expect(periodBudgetId("fleet", "day", at)).toBe("fleet:day/2026-03-02");
    expect(periodBudgetId("fleet", "week", at)).toBe("fleet:week/2026-03-02");
    expect(periodBudgetId("project:abc", "month", at)).toBe("project:abc:month/2026-03-01");
    expect(periodBudgetId("project:abc", "ever", at)).toBe("project:abc:ever");
  });

  test("a call is charged to everything that it belongs to, the groups around its step too", () => {
    const at = Date.parse("2026-11-21T12:00:00Z");
    const ids = accountsOf({ runId: "r1", attempt: "r1/build/0#2", project: "abc", at });
    expect(ids).toContain("fleet:week/2026-11-16");
    expect(ids).toContain("project:abc:day/2026-11-21");
    expect(ids.slice(-4)).toEqual(["run:r1", "step:r1/build", "step:r1/build/0", "attempt:r1/build/0#2"]);
    expect(ids.map((id) => parseBudgetId(id)?.scope).every(Boolean)).toBe(true);
    expect(parseBudgetId("attempt:r1/build/0#2")).toEqual({ scope: "attempt", attempt: "r1/build/0#2", step: "build/0" });
    expect(parseBudgetId("run")).toBeUndefined();
  });
});

describe("answers", () => {
  test.each([
    ["raise", { kind: "raise" }],
    ["raise 2.50", { kind: "raise", by: 2_500_000 }],
    ["Raise by $3", { kind: "raise", by: 3_000_000 }],
    ["cheaper", { kind: "cheaper" }],
    ["stop", { kind: "stop" }],
    ["raise 0", undefined],
    ["raise -1", undefined],
    ["stop 3", undefined],
    ["yes", undefined],
  ])("%s", (text, meant) => expect(parseBudgetAnswer(text)).toEqual(meant));

  test("the raise that is suggested carries the call that was refused, whatever was spent", () => {
    const any = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(any, any, any, (limit, spent, needed) => {
        const by = suggestedRaise({ limit, spent, needed });
        expect(limit + by).toBeGreaterThanOrEqual(spent + needed);
        expect(by).toBeGreaterThan(0);
      }),
    );
  });
});

const agents = [
  { id: "shell", tier: "free", executor: "shell" },
  { id: "dear", tier: "mid", executor: "chat" },
  { id: "cheap", tier: "free", executor: "chat" },
];

function begin(steps: Step[], withAgents = agents): Journal {
  const journal = new Journal();
  const event = started({ name: "p", steps });
  if (event.type === "RunStarted") event.data.agents = withAgents;
  journal.append(event);
  carryOut(journal);
  return journal;
}

/** The step's attempt runs into a limit. */
function runsInto(journal: Journal, path: string, data: EventData<"BudgetExhausted">): void {
  moveOf(journal, path, "start");
  const attempt = journal.state.steps.get(path)?.attempts.at(-1)?.id ?? "";
  journal.append({ type: "AttemptFailed", data: { attempt, step: path, kind: "budget", message: "no" } });
  journal.append({ type: "BudgetExhausted", data });
  carryOut(journal);
}
const items = (journal: Journal): InboxItem[] => [...journal.state.inbox.values()];
function say(journal: Journal, text: string): void {
  journal.append({ type: "InboxAnswered", data: { item: items(journal)[0]?.item ?? "", by: "ann", verdict: "answer", text } });
  carryOut(journal);
}
const stepsOwn = (step: string): EventData<"BudgetExhausted"> => ({
  scope: "step",
  id: `step:r1/${step}`,
  step,
  limit: 1_000,
  spent: 900,
  needed: 300,
});

describe("a run with a spent budget", () => {
  test("a step's pauses that step and asks; others go on, and when nothing is left the run halts", () => {
    const journal = begin([agentStepOf("a"), agentStepOf("b"), stepOf("c", ["a"])]);
    runsInto(journal, "a", stepsOwn("a"));
    expect(items(journal)).toMatchObject([
      {
        kind: "budget",
        step: "a",
        budget: "step:r1/a",
        choices: ["raise 0.0003", "cheaper", "stop"],
        title: expect.stringContaining("step a"),
      },
    ]);
    expect(decide(journal.state, journal.now)).toEqual([]);
    moveOf(journal, "b", "start");
    moveOf(journal, "b", "accept-empty");
    carryOut(journal);
    expect(journal.state.steps.get("b")?.status).toBe("completed");
    expect(decide(journal.state, journal.now)).toEqual([{ kind: "halt", because: "budget", id: "step:r1/a", limit: 1_000, spent: 900 }]);
    journal.append({ type: "BudgetRaised", data: { scope: "step", step: "a", limit: 5_000 } });
    carryOut(journal);
    expect(journal.state.inbox.size).toBe(0);
    expect(journal.state.steps.get("a")).toMatchObject({ status: "active", tries: 0 });
    expect(journal.state.stepBudgets.get("a")).toBe(5_000);
    finishWell(journal);
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("cheaper lets the step go on below the tier it was at; where nothing is below, it is no choice", () => {
    const journal = begin([agentStepOf("a")]);
    runsInto(journal, "a", stepsOwn("a"));
    say(journal, "cheaper");
    expect(journal.state.steps.get("a")).toMatchObject({ below: "mid", status: "active" });
    expect(journal.state.pauses.size + journal.state.inbox.size).toBe(0);
    const alone = begin([agentStepOf("a")], agents.slice(0, 2));
    runsInto(alone, "a", stepsOwn("a"));
    const [item] = items(alone);
    expect(item?.choices).toEqual(["raise 0.0003", "stop"]);
    expect(item && whyNoAnswer(item, { by: "ann", verdict: "answer", text: "cheaper" }, 0)).toMatch(/no cheaper tier/);
  });

  test("stop fails the step and says who said so; words that mean nothing change nothing", () => {
    const journal = begin([agentStepOf("a")]);
    runsInto(journal, "a", stepsOwn("a"));
    say(journal, "well");
    expect(journal.state.inbox.size).toBe(1);
    say(journal, "stop");
    expect(journal.state.steps.get("a")).toMatchObject({
      status: "failed",
      because: expect.stringMatching(/its budget of .* is spent.*ann said stop/),
    });
    expect(journal.state).toMatchObject({ status: "finished", outcome: "failed" });
  });

  test("an attempt's limit pauses its step, and raised it holds for the next attempts", () => {
    const journal = begin([agentStepOf("a")]);
    runsInto(journal, "a", { scope: "attempt", id: "attempt:r1/a#1", step: "a", limit: 100, spent: 90 });
    expect(items(journal)[0]?.title).toMatch(/attempt a#1/);
    journal.append({ type: "BudgetRaised", data: { scope: "attempt", id: "attempt:r1/a#1", step: "a", limit: 200 } });
    carryOut(journal);
    expect(journal.state.steps.get("a")).toMatchObject({ attemptBudget: 200, status: "active", attempts: [{ n: 1 }, { n: 2 }] });
  });

  test("the fleet's holds the whole run until somebody raises it or its period is over", () => {
    const id = "fleet:day/1970-01-01";
    const journal = begin([agentStepOf("a"), stepOf("b")]);
    runsInto(journal, "a", { scope: "fleet", id, step: "a", limit: 100, spent: 90 });
    expect(journal.state.steps.get("b")?.status).toBe("ready");
    const midnight = 86_400_000;
    expect(decide(journal.state, journal.now)).toEqual([
      { kind: "wake", at: midnight },
      { kind: "halt", because: "budget", id, limit: 100, spent: 90 },
    ]);
    journal.now = midnight;
    carryOut(journal);
    expect(journal.state.halted).toBeUndefined();
    expect(journal.state.inbox.size).toBe(0);
    expect(journal.state.steps.get("a")?.status).toBe("active");
  });

  test("a call that was refused by a limit which is raised meanwhile pauses nothing", () => {
    const journal = begin([agentStepOf("a"), agentStepOf("b")]);
    runsInto(journal, "a", { scope: "run", step: "a", limit: 100, spent: 90 });
    moveOf(journal, "b", "start");
    journal.append({ type: "BudgetRaised", data: { scope: "run", limit: 500 } });
    journal.append({ type: "BudgetExhausted", data: { scope: "run", step: "b", limit: 100, spent: 95 } });
    expect(journal.state.halted).toBeUndefined();
  });

  test("a raised limit of the fleet that the settings make another one afterwards pauses again, and is not tried over and over", () => {
    const id = "fleet:ever";
    const journal = begin([agentStepOf("a"), agentStepOf("b")]);
    runsInto(journal, "a", { scope: "fleet", id, step: "a", limit: 500, spent: 490 });
    journal.append({ type: "BudgetRaised", data: { scope: "fleet", id, from: 500, limit: 1_000 } });
    carryOut(journal);
    // A call that still had the limit before.
    runsInto(journal, "b", { scope: "fleet", id, step: "b", limit: 500, spent: 495 });
    expect(journal.state.halted).toBeUndefined();
    runsInto(journal, "a", { scope: "fleet", id, step: "a", limit: 600, spent: 700 });
    expect(journal.state.halted).toMatchObject({ id, limit: 600 });
    expect(items(journal)).toHaveLength(1);
  });

  test("what is asked while the last result is being merged is asked no more when the run is over", () => {
    const journal = begin([agentStepOf("a")]);
    moveOf(journal, "a", "start");
    moveOf(journal, "a", "accept");
    const spent = { scope: "run", id: "run:r1", limit: 1_000, spent: 900, needed: 300 } as const;
    journal.append({ type: "BudgetExhausted", data: spent });
    carryOut(journal);
    expect(journal.state.inbox.size).toBe(1);
    moveOf(journal, "a", "merge");
    carryOut(journal);
    expect(journal.state).toMatchObject({ status: "finished", outcome: "succeeded" });
    expect(journal.state.inbox.size).toBe(0);
    journal.append({ type: "BudgetExhausted", data: spent });
    carryOut(journal);
    expect([journal.state.inbox.size, journal.state.pauses.size, journal.state.halted]).toEqual([0, 0, undefined]);
  });

  test("a raise of a group's budget lets its children go on", () => {
    const journal = begin([groupOf("g", [], 3, "each")]);
    journal.append({ type: "BudgetExhausted", data: stepsOwn("g") });
    carryOut(journal);
    expect(journal.state.queued.size).toBe(0);
    journal.append({ type: "BudgetRaised", data: { scope: "step", step: "g", limit: 5_000 } });
    finishWell(journal);
    expect(journal.state.outcome).toBe("succeeded");
  });

  test("cancelled, it asks nobody any more and ends", () => {
    for (const spent of [stepsOwn("a"), { scope: "run" as const, step: "a", limit: 5, spent: 4 }]) {
      const journal = begin([agentStepOf("a"), agentStepOf("b"), agentStepOf("last", ["a"], { when: "always" })]);
      moveOf(journal, "b", "start");
      runsInto(journal, "a", spent);
      expect(journal.state.inbox.size).toBe(1);
      journal.append({ type: "CancelRequested", data: {} });
      expect(journal.state.running.has("b")).toBe(true);
      carryOut(journal);
      expect(journal.state.inbox.size).toBe(0);
      finishWell(journal);
      expect(journal.state).toMatchObject({ status: "finished", outcome: "cancelled" });
    }
  });

  test("what an older version wrote is read: the run's pause has an item, and a step's failure stays one", () => {
    const journal = begin([agentStepOf("a")]);
    journal.append(parseEvent("BudgetExhausted", 1, { scope: "run", limit: 5, spent: 4 }));
    carryOut(journal);
    expect(journal.state.halted).toMatchObject({ id: "run:r1", step: "a" });
    expect(items(journal)).toHaveLength(1);
    const step = begin([agentStepOf("a")]);
    step.append(parseEvent("BudgetExhausted", 1, { scope: "step", step: "a", limit: 5, spent: 4 }));
    step.append({ type: "StepFailed", data: { step: "a", because: "its budget of $5 is spent" } });
    carryOut(step);
    expect(step.state).toMatchObject({ status: "finished", pauses: new Map(), inbox: new Map() });
  });
});
