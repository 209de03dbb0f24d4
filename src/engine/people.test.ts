import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { ApproveStep, AskStep, Pipeline, RunEvent, Step } from "../domain/index.ts";
import { fold, runStream } from "../domain/index.ts";
import type { Store } from "../store/index.ts";
import { answerItem, type Answer } from "./index.ts";
import { engineOn, noBranches, readonlyStep, scratchHome, storeOn, type Behaviour, type TestEngine } from "./engine.testkit.ts";

const { kind: _kind, prompt: _prompt, agent: _agent, ...base } = readonlyStep("");
const approve = (path: string, needs: string[], more: Partial<ApproveStep> = {}): ApproveStep => ({
  ...base,
  kind: "approve",
  path,
  needs,
  title: `may ${path} go on?`,
  who: [],
  count: 1,
  onExpiry: "reject",
  rework: [],
  ...more,
});
const ask = (path: string, more: Partial<AskStep> = {}): AskStep => ({
  ...base,
  kind: "ask",
  path,
  question: path,
  choices: [],
  ...more,
});
const pipeline = (...steps: Step[]): Pipeline => ({ name: "p", steps });
const work: Behaviour = async ({ step }) => ({ kind: "ended", summary: step.path });
const drive = (t: TestEngine, runId = "r") => t.engine.drive(runId, { workspaces: noBranches });
const say = (store: Store, now: number, answer: Partial<Answer> = {}) =>
  answerItem(store, { now: () => now }, { item: "r/ok!1", by: "ann", verdict: "approve", ...answer }, "cli:ann");

/** A clock that a test moves on by days. */
const movable = (): { now: () => number; later: (ms: number) => void } => {
  let ahead = 0;
  return { now: () => Date.now() + ahead, later: (ms) => (ahead += ms) };
};
const DAY = 86_400_000;

describe("an approval", () => {
  test("is not passed by resuming, however often; an answer from another process lets the run go on", async () => {
    const home = scratchHome();
    const done: string[] = [];
    const t = await engineOn(home, async (task, c) => (done.push(task.step.path), work(task, c)));
    await t.start("r", pipeline(readonlyStep("a"), approve("ok", ["a"]), readonlyStep("ship", ["ok"])));
    for (let i = 0; i < 3; i++) expect(await drive(t)).toEqual({ kind: "people", items: ["r/ok!1"] });
    expect(done).toEqual(["a"]);
    const other = await storeOn(home);
    expect((await other.listInbox()).map((r) => [r.item, r.kind, r.title])).toEqual([["r/ok!1", "approval", "may ok go on?"]]);
    await say(other, Date.now());
    expect(await other.listInbox(), "an answered item waits no more, though nobody drives the run").toEqual([]);
    expect(await drive(t)).toEqual({ kind: "finished", outcome: "succeeded" });
    expect(done).toEqual(["a", "ship"]);
    expect(await other.listInbox()).toEqual([]);
  });

  test("is not passed from any prefix of the journal that holds no answer: a crash anywhere leaves it waiting", async () => {
    const home = scratchHome();
    const whole = await engineOn(home, work);
    const p = pipeline(readonlyStep("a"), approve("ok", ["a"], { count: 2 }), readonlyStep("ship", ["ok"]));
    await whole.start("r", p);
    await drive(whole);
    await say(whole.deps.store, Date.now(), { by: "ann" });
    await drive(whole);
    await say(whole.deps.store, Date.now(), { by: "bob" });
    await drive(whole);
    const journal = await whole.deps.store.read(runStream("r"));
    const answered = journal.findLastIndex((e) => e.event.type === "InboxAnswered");
    expect(answered).toBeGreaterThan(3);
    for (let n = 1; n <= answered; n++) {
      const done: string[] = [];
      const t = await engineOn(scratchHome(), async (task, c) => (done.push(task.step.path), work(task, c)), { isDead: () => true });
      const events = journal.slice(0, n);
      await t.deps.store.commit({
        appends: [
          { stream: runStream("r"), expected: 0, events: events.map(({ event, at, actor, cause }) => ({ event, at, actor, cause })) },
        ],
        // The queue is written with the journal.
        enqueue: [...fold(events).queued].map((step) => ({
          id: `r/${step}#1`,
          runId: "r",
          agents: ["fn"],
          priority: 0,
          rank: 0,
          enqueuedAt: 0,
        })),
      });
      expect((await drive(t)).kind, `after event ${n}`).toBe("people");
      expect(done).not.toContain("ship");
    }
  });

  test("is asked once by two engines: the second is told who drives, and takes over without passing it", async () => {
    const home = scratchHome();
    const one = await engineOn(home, work);
    await one.start("r", pipeline(approve("ok", []), readonlyStep("ship", ["ok"])));
    const stop = new AbortController();
    const driving = one.engine.drive("r", { workspaces: noBranches, waitForPeople: true, stop: stop.signal });
    while ((await one.deps.store.listInbox()).length === 0) await sleep(10);
    const two = await engineOn(home, work, { node: "test:2:2" });
    await expect(drive(two)).rejects.toMatchObject({ code: "RUN_DRIVEN" });
    stop.abort();
    expect((await driving).kind).toBe("stopped");
    expect(await drive(two)).toEqual({ kind: "people", items: ["r/ok!1"] });
  });

  test("wakes an engine that waits for it", async () => {
    const home = scratchHome();
    const t = await engineOn(home, work);
    await t.start("r", pipeline(approve("ok", []), readonlyStep("ship", ["ok"])));
    const driving = t.engine.drive("r", { workspaces: noBranches, waitForPeople: true });
    while ((await t.deps.store.listInbox()).length === 0) await sleep(10);
    await say(await storeOn(home), Date.now());
    expect(await driving).toEqual({ kind: "finished", outcome: "succeeded" });
  });

  test("that was refused stays refused, although its step says to retry", async () => {
    const t = await engineOn(scratchHome(), work);
    await t.start("r", pipeline(approve("ok", [], { retry: { attempts: 5, backoffMs: 0 } }), readonlyStep("ship", ["ok"])));
    await drive(t);
    await say(t.deps.store, Date.now(), { verdict: "reject", text: "no" });
    expect(await drive(t)).toEqual({ kind: "finished", outcome: "failed" });
    await expect(say(t.deps.store, Date.now())).rejects.toMatchObject({ code: "ITEM_CLOSED" });
  });

  test("waits over two days and restarts, and then expires as its step says", async () => {
    for (const onExpiry of ["approve", "reject"] as const) {
      const home = scratchHome();
      const clock = movable();
      const first = await engineOn(home, work, { clock });
      await first.start("r", pipeline(approve("ok", [], { expiresMs: 3 * DAY, onExpiry }), readonlyStep("ship", ["ok"])));
      expect((await drive(first)).kind).toBe("people");
      for (let day = 0; day < 2; day++) {
        clock.later(DAY);
        expect((await drive(await engineOn(home, work, { clock, isDead: () => true }))).kind).toBe("people");
      }
      clock.later(DAY + 1);
      const last = await engineOn(home, work, { clock, isDead: () => true });
      await expect(say(last.deps.store, clock.now())).rejects.toMatchObject({ code: "ANSWER_REFUSED" });
      expect(await drive(last)).toEqual({ kind: "finished", outcome: onExpiry === "approve" ? "succeeded" : "failed" });
    }
  });

  test("refuses an answer from somebody who was not asked, of the wrong kind, or to nothing", async () => {
    const t = await engineOn(scratchHome(), work);
    await t.start("r", pipeline(approve("ok", [], { who: ["bob"] })));
    await drive(t);
    const { store } = t.deps;
    await expect(say(store, 0)).rejects.toMatchObject({ code: "ANSWER_REFUSED", message: expect.stringContaining("only bob") as unknown });
    await expect(say(store, 0, { by: "bob", verdict: "answer", text: "yes" })).rejects.toMatchObject({ code: "ANSWER_REFUSED" });
    const rework = say(store, 0, { by: "bob", verdict: "rework", text: "again" });
    await expect(rework).rejects.toMatchObject({
      code: "ANSWER_REFUSED",
      message: expect.stringContaining("nothing can be done again") as unknown,
    });
    await expect(say(store, 0, { item: "r/ok!2" })).rejects.toMatchObject({ code: "ITEM_UNKNOWN" });
    await expect(say(store, 0, { item: "nonsense" })).rejects.toMatchObject({ code: "ITEM_UNKNOWN" });
  });
});

test("a question's default is its answer after its time", async () => {
  const clock = movable();
  const t = await engineOn(scratchHome(), work, { clock });
  await t.start("r", pipeline(ask("q", { choices: ["a", "b"], fallback: { answer: "b", afterMs: DAY } })));
  expect((await drive(t)).kind).toBe("people");
  clock.later(DAY);
  expect(await drive(t)).toEqual({ kind: "finished", outcome: "succeeded" });
  expect((await t.engine.load("r")).steps.get("q")?.output).toEqual({ answer: "b" });
});

describe("leave that an agent asks for", () => {
  const wants: Behaviour = async (_task, { permit, signal }) => {
    const answer = await permit?.({ title: "run rm -rf build", kind: "execute", detail: "rm -rf build" }, signal);
    if (signal.aborted) return { kind: "aborted" };
    return answer?.allow ? { kind: "ended", summary: "did it" } : { kind: "failed", because: "agent", message: answer?.because ?? "" };
  };
  const step = (permissions: "allow" | "edits" | "ask" | "deny") => readonlyStep("a", [], { permissions });

  test("is given or refused by the step's policy without asking anybody", async () => {
    for (const [policy, outcome] of [
      ["allow", "succeeded"],
      ["edits", "failed"],
      ["deny", "failed"],
    ] as const) {
      const t = await engineOn(scratchHome(), wants);
      await t.start("r", pipeline(step(policy)));
      expect(await drive(t)).toEqual({ kind: "finished", outcome });
    }
  });

  test("comes into the inbox, and the answer goes to the agent that waits", async () => {
    for (const verdict of ["approve", "reject"] as const) {
      const home = scratchHome();
      const t = await engineOn(home, wants);
      await t.start("r", pipeline(step("ask")));
      const driving = drive(t);
      const other = await storeOn(home);
      while ((await other.listInbox()).length === 0) await sleep(10);
      const [row] = await other.listInbox();
      expect(row).toMatchObject({ item: "r/a!1", kind: "permission", title: "run rm -rf build", attempt: "r/a#1" });
      await say(other, Date.now(), { item: "r/a!1", verdict });
      expect(await driving).toEqual({ kind: "finished", outcome: verdict === "approve" ? "succeeded" : "failed" });
      expect(await other.listInbox()).toEqual([]);
    }
  });

  test("that nobody gives ends with its attempt, and the item with it", async () => {
    const home = scratchHome();
    const t = await engineOn(home, wants);
    await t.start("r", pipeline(step("ask")));
    const stop = new AbortController();
    const driving = t.engine.drive("r", { workspaces: noBranches, stop: stop.signal });
    while ((await t.deps.store.listInbox()).length === 0) await sleep(10);
    stop.abort();
    expect((await driving).kind).toBe("stopped");
    expect(await t.deps.store.listInbox()).toEqual([]);
    const events = (await t.deps.store.read(runStream("r"))).map((e) => (e.event satisfies RunEvent).type);
    expect(events.filter((type) => /^Inbox|Interrupted/.test(type))).toEqual(["InboxOpened", "AttemptInterrupted"]);
  });
});
