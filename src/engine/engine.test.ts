import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentAttempt, runStream } from "../domain/index.ts";
import { engineOn, noBranches, pipelineOf, readonlyStep, scratchHome, storeOn, type Behaviour } from "./engine.testkit.ts";

const done: Behaviour = () => Promise.resolve({ kind: "ended", summary: "done" });
const untilAborted: Behaviour = (_task, { signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve({ kind: "aborted" }), { once: true }));

describe("a run", () => {
  test("is driven to its end, and its journal folds to what the engine says", async () => {
    const { engine, start, deps } = await engineOn(scratchHome(), done);
    await start("r1", pipelineOf(readonlyStep("a"), readonlyStep("b", ["a"]), readonlyStep("c", ["a"])));
    expect(await engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "succeeded" });
    const state = await engine.load("r1");
    expect([...state.steps.values()].map((s) => s.status)).toEqual(["completed", "completed", "completed"]);
    expect(await deps.store.runs({ runId: "r1" })).toMatchObject([{ status: "succeeded", stepsDone: 3, stepsTotal: 3 }]);
    expect(await deps.store.queueStats()).toMatchObject({ queued: 0, leased: 0 });
    expect(await deps.store.leases("")).toEqual([]);
  });

  test("an executor that throws costs one attempt, frees its slot, and takes nothing else with it", async () => {
    let calls = 0;
    const { engine, start } = await engineOn(
      scratchHome(),
      ({ step }) => {
        calls += 1;
        if (step.path === "bad") throw new TypeError("a bug in the executor");
        return done(undefined as never, undefined as never);
      },
      { slots: 1 },
    );
    await start("r1", pipelineOf(readonlyStep("bad", [], { priority: 1, retry: { attempts: 2, backoffMs: 0 } }), readonlyStep("good")));
    expect(await engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "failed" });
    const state = await engine.load("r1");
    expect(calls).toBe(3);
    expect(state.steps.get("good")?.status).toBe("completed");
    expect(state.steps.get("bad")?.because).toBe("all 2 attempts failed; the last: internal error: a bug in the executor");
  });

  test("never has more attempts at once than slots, over all engines that share an account", async () => {
    let now = 0;
    let most = 0;
    const busy: Behaviour = async () => {
      most = Math.max(most, ++now);
      await sleep(5);
      now -= 1;
      return { kind: "ended", summary: "" };
    };
    const home = scratchHome();
    const one = await engineOn(home, busy, { slots: 8, accountSlots: 3, node: "test:1:1" });
    const two = await engineOn(home, busy, { slots: 8, accountSlots: 3, node: "test:2:2" });
    const steps = Array.from({ length: 20 }, (_, i) => readonlyStep(`s${i}`));
    await one.start("r1", pipelineOf(...steps));
    await two.start("r2", pipelineOf(...steps));
    const ends = await Promise.all([
      one.engine.drive("r1", { workspaces: noBranches }),
      two.engine.drive("r2", { workspaces: noBranches }),
    ]);
    expect(ends).toEqual([
      { kind: "finished", outcome: "succeeded" },
      { kind: "finished", outcome: "succeeded" },
    ]);
    expect(most).toBe(3);
  });

  test("related steps go to the agent that did the first of them", async () => {
    const { engine, start } = await engineOn(scratchHome(), done, { agents: ["one", "two"], slots: 1 });
    const wish = { capability: [], tier: "free" };
    await start(
      "r1",
      pipelineOf(readonlyStep("a", [], { affinity: "ui", agent: wish }), readonlyStep("b", ["a"], { affinity: "ui", agent: wish })),
    );
    await engine.drive("r1", { workspaces: noBranches });
    const { steps } = await engine.load("r1");
    expect(currentAttempt(steps.get("b")!)?.agent).toBe(currentAttempt(steps.get("a")!)?.agent);
  });

  test("a step no registered agent can do fails with that reason, and is never queued", async () => {
    const { engine, start } = await engineOn(scratchHome(), done);
    await start("r1", pipelineOf(readonlyStep("a", [], { agent: { id: "ghost", capability: [] } })));
    expect(await engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "failed" });
    const step = (await engine.load("r1")).steps.get("a");
    expect(step?.because).toContain("ghost, which is not registered");
    expect(step?.attempts).toEqual([]);
  });
});

describe("other processes", () => {
  test("a cancel appended by another process ends what runs", async () => {
    const home = scratchHome();
    const { engine, start } = await engineOn(home, untilAborted);
    await start("r1", pipelineOf(readonlyStep("a"), readonlyStep("b", ["a"])));
    const driving = engine.drive("r1", { workspaces: noBranches });
    const other = await storeOn(home);
    for (;;) {
      const events = await other.read(runStream("r1"));
      if (!events.some((e) => e.event.type === "AttemptStarted")) {
        await sleep(10);
        continue;
      }
      const event = { type: "CancelRequested", data: { reason: "enough" } } as const;
      await other.commit({ appends: [{ stream: runStream("r1"), expected: events.length, events: [{ event, at: 1, actor: "cli:me" }] }] });
      break;
    }
    expect(await driving).toEqual({ kind: "finished", outcome: "cancelled" });
    const state = await engine.load("r1");
    expect(currentAttempt(state.steps.get("a")!)?.interrupted?.because).toBe("enough");
    expect(state.steps.get("b")?.status).toBe("cancelled");
  });

  test("a run that a living process drives is not driven twice", async () => {
    const home = scratchHome();
    const one = await engineOn(home, untilAborted, { node: "test:1:1" });
    const two = await engineOn(home, done, { node: "test:2:2" });
    await one.start("r1", pipelineOf(readonlyStep("a")));
    const stop = new AbortController();
    const driving = one.engine.drive("r1", { workspaces: noBranches, stop: stop.signal });
    await sleep(50);
    await expect(two.engine.drive("r1", { workspaces: noBranches })).rejects.toMatchObject({ code: "RUN_DRIVEN" });
    stop.abort();
    expect(await driving).toEqual({ kind: "stopped" });
    expect(await two.engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "succeeded" });
  });

  test("an engine that was taken over while it slept writes nothing more, and its late answer is refused", async () => {
    const home = scratchHome();
    const late = Promise.withResolvers<void>();
    const one = await engineOn(
      home,
      async () => {
        await late.promise;
        return { kind: "ended", summary: "the late answer" };
      },
      { node: "test:1:1", leaseMs: 60_000 },
    );
    const two = await engineOn(home, done, { node: "test:2:2", isDead: (holder) => holder === "test:1:1" });
    await one.start("r1", pipelineOf(readonlyStep("a"), readonlyStep("b", ["a"])));
    const sleeping = one.engine.drive("r1", { workspaces: noBranches });
    while ((await one.deps.store.read(runStream("r1"))).length < 3) await sleep(10);
    expect(await two.engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "succeeded" });
    const after = await two.deps.store.read(runStream("r1"));
    late.resolve();
    expect(await sleeping).toEqual({ kind: "taken-over" });
    expect(await two.deps.store.read(runStream("r1"))).toEqual(after);
    const a = (await two.engine.load("r1")).steps.get("a");
    expect(a?.attempts.map((x) => x.phase)).toEqual(["interrupted", "accepted"]);
    expect(JSON.stringify(after)).not.toContain("the late answer");
  });

  test("a driver that has lost its run writes nothing, although its attempt's own lease still holds", async () => {
    const home = scratchHome();
    const late = Promise.withResolvers<void>();
    const behave: Behaviour = async () => {
      await late.promise;
      return { kind: "ended", summary: "late" };
    };
    const { engine, start } = await engineOn(home, behave, { leaseMs: 60_000 });
    await start("r1", pipelineOf(readonlyStep("a"), readonlyStep("b", ["a"])));
    const driving = engine.drive("r1", { workspaces: noBranches });
    const other = await storeOn(home);
    while ((await other.read(runStream("r1"))).length < 3) await sleep(10);
    const [run] = await other.leases("run:r1");
    const taken = await other.acquire({
      key: "run:r1",
      holder: "test:9:9",
      until: Date.now() + 60_000,
      now: Date.now(),
      breakEpoch: run!.epoch,
    });
    expect(taken.ok).toBe(true);
    late.resolve();
    expect(await driving).toEqual({ kind: "taken-over" });
    expect((await other.read(runStream("r1"))).length).toBe(3);
  });

  test("an attempt whose lease ran out while its engine slept is stopped, and its step done again", async () => {
    const home = scratchHome();
    let calls = 0;
    const { engine, start, deps } = await engineOn(
      home,
      async (task, context) => {
        calls += 1;
        return calls === 1 ? untilAborted(task, context) : { kind: "ended", summary: "" };
      },
      { leaseMs: 900, slots: 1 },
    );
    await start("r1", pipelineOf(readonlyStep("a")));
    const driving = engine.drive("r1", { workspaces: noBranches });
    while ((await deps.store.leases("r1/")).length === 0) await sleep(5);
    const other = await storeOn(home);
    const [lease] = await other.leases("r1/");
    // As another node would after the lease ran out; it then gives it back.
    const taken = await other.acquire({
      key: "r1/a#1",
      holder: "test:9:9",
      until: Date.now() + 50,
      now: Date.now(),
      breakEpoch: lease!.epoch,
    });
    expect(taken.ok).toBe(true);
    expect(await driving).toEqual({ kind: "finished", outcome: "succeeded" });
    expect(calls).toBe(2);
  });
});

test("in any pipeline with any outcomes every step ends, in no more slots than there are", async () => {
  const home = scratchHome();
  let running = 0;
  let most = 0;
  const outcomes = new Map<string, string[]>();
  const { engine, start, deps } = await engineOn(
    home,
    async ({ step }) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
      switch (outcomes.get(step.path)?.shift()) {
        case "fail":
          return { kind: "failed", because: "agent", message: "no" };
        case "throw":
          throw new TypeError("thrown");
        case "crash":
          return { kind: "failed", because: "crash", message: "signal" };
        default:
          return { kind: "ended", summary: "" };
      }
    },
    { slots: 3 },
  );
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          needs: fc.array(fc.nat(12), { maxLength: 3 }),
          attempts: fc.integer({ min: 1, max: 3 }),
          says: fc.array(fc.constantFrom("fail", "throw", "crash", "end"), { maxLength: 3 }),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      async (rows) => {
        const runId = `p${++n}`;
        outcomes.clear();
        for (const [i, row] of rows.entries()) outcomes.set(`s${i}`, [...row.says]);
        const steps = rows.map((row, i) =>
          readonlyStep(`s${i}`, [...new Set(row.needs.filter((k) => k < i).map((k) => `s${k}`))], {
            retry: { attempts: row.attempts, backoffMs: 0 },
          }),
        );
        await start(runId, pipelineOf(...steps));
        const end = await engine.drive(runId, { workspaces: noBranches });
        const state = await engine.load(runId);
        expect(end).toEqual({ kind: "finished", outcome: state.outcome });
        for (const [i, row] of rows.entries()) {
          const s = state.steps.get(`s${i}`)!;
          const willEnd = row.says.slice(0, row.attempts).includes("end") || row.says.length < row.attempts;
          const needsMet = s.step.needs.every((need) => state.steps.get(need)?.status === "completed");
          expect(s.status).toBe(needsMet ? (willEnd ? "completed" : "failed") : "skipped");
        }
        expect(await deps.store.queueStats(runId)).toMatchObject({ queued: 0, leased: 0 });
      },
    ),
    { numRuns: 60 },
  );
  expect(most).toBeLessThanOrEqual(3);
});
