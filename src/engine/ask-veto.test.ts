import { expect, test } from "vitest";
import type { EventData } from "../domain/index.ts";
import type { Veto } from "./index.ts";
import { engineOn, noBranches, pipelineOf, readonlyStep, scratchHome, type Behaviour } from "./engine.testkit.ts";

type Answer = EventData<"HookAnswered">;
const done: Behaviour = () => Promise.resolve({ kind: "ended", summary: "done" });

async function drive(
  veto: Veto,
  pipeline = pipelineOf(readonlyStep("a"), readonlyStep("b", ["a"]), readonlyStep("z", [], { when: "always" })),
) {
  const ran: string[] = [];
  const home = scratchHome();
  const { engine, deps, start } = await engineOn(home, (task, context) => (ran.push(task.step.path), done(task, context)), { veto });
  await start("r1", pipeline);
  const end = await engine.drive("r1", { workspaces: noBranches });
  const events = await deps.store.read("run:r1");
  return { ran, end, events, state: await engine.load("r1"), types: events.map((e) => e.event.type) };
}

test("a run that a hook refuses ends before anything of it starts, with the reason", async () => {
  const answer: Answer = { hook: "hours", before: "run", verdict: "refused", because: "it is night" };
  const asked: string[] = [];
  const { ran, end, state, types } = await drive(({ before, event, state: at }) => {
    asked.push(`${before} ${event.type} ${at.status} ${at.steps.size}`);
    return Promise.resolve([answer]);
  });
  expect(asked).toEqual(["run RunStarted running 3"]);
  expect(ran).toEqual([]);
  expect(end).toEqual({ kind: "finished", outcome: "cancelled" });
  expect(types.slice(0, 2)).toEqual(["RunStarted", "HookAnswered"]);
  expect(state.because).toBe("the hook hours refused it: it is night");
});

test("an attempt that a hook refuses is not begun, counts as no try, and ends its step; others go on", async () => {
  const { ran, end, events, state } = await drive(({ before, step, attempt }) =>
    Promise.resolve(
      before === "attempt" && step === "a" ? [{ hook: "guard", before, step, attempt, verdict: "refused", because: "not this one" }] : [],
    ),
  );
  expect(ran).toEqual(["z"]);
  expect(end).toEqual({ kind: "finished", outcome: "failed" });
  expect(state.steps.get("a")).toMatchObject({ status: "failed", because: "the hook guard refused it: not this one", tries: 0 });
  const ofA = events.flatMap(({ event }) => ("step" in event.data && event.data.step === "a" ? [event.type] : []));
  expect(ofA).toEqual(["AttemptRouted", "HookAnswered", "AttemptInterrupted", "StepFailed"]);
});

test("a hook that gives no answer, and may be passed over, is on record before the attempt begins", async () => {
  const { ran, events } = await drive(
    ({ before, step, attempt }) =>
      Promise.resolve(
        before === "attempt"
          ? [
              {
                hook: "away",
                before,
                ...(step ? { step } : {}),
                ...(attempt ? { attempt } : {}),
                verdict: "allowed",
                because: "HTTP 502",
                unanswered: true,
              },
            ]
          : [],
      ),
    pipelineOf(readonlyStep("a")),
  );
  expect(ran).toEqual(["a"]);
  const types = events.map((e) => e.event.type);
  expect(types.indexOf("HookAnswered")).toBeLessThan(types.indexOf("AttemptStarted"));
});

test("stopping does not wait for a hook: the attempt is interrupted, and the run can be resumed", async () => {
  const stop = new AbortController();
  const home = scratchHome();
  const veto: Veto = ({ before }, signal) =>
    before === "run"
      ? Promise.resolve([])
      : new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve([]), { once: true });
          stop.abort();
        });
  const { engine, start } = await engineOn(home, done, { veto });
  await start("r1", pipelineOf(readonlyStep("a")));
  expect(await engine.drive("r1", { workspaces: noBranches, stop: stop.signal })).toEqual({ kind: "stopped" });
  const again = await engineOn(home, done, { veto: () => Promise.resolve([]) });
  expect(await again.engine.drive("r1", { workspaces: noBranches })).toEqual({ kind: "finished", outcome: "succeeded" });
});
