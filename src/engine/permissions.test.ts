import { expect, test } from "vitest";
import { apply, fold, type RunEvent } from "../domain/index.ts";
import { readonlyStep } from "./engine.testkit.ts";
import { PermissionDesk } from "./permissions.ts";
import type { Fact, RunLog } from "./run-log.ts";

const step = readonlyStep("a", [], { permissions: "ask" });
const of = { attempt: "r/a#1", step: "a" };
const request = { title: "npm publish", kind: "execute", detail: "npm publish" } as const;

/** A run whose agent asked leave once and got it; then its engine died. */
function takenUp() {
  const item = { ...of, item: "r/a!1", kind: "permission" as const, title: request.title, detail: request.detail };
  const events: RunEvent[] = [
    {
      type: "RunStarted",
      data: {
        runId: "r",
        pipeline: { name: "p", steps: [step] },
        project: "/p",
        base: "b",
        branch: "stepfall/r",
        agents: [],
        includeDirty: false,
      },
    },
    { type: "AttemptRouted", data: { ...of, n: 1, tier: "mid", candidates: ["x"], reasons: [] } },
    { type: "AttemptStarted", data: { ...of, agent: "x", node: "n", epoch: 1, queuedMs: 0 } },
    { type: "InboxOpened", data: { ...item, choices: [], who: [], count: 1 } },
    { type: "InboxAnswered", data: { item: "r/a!1", by: "ann", verdict: "approve" } },
  ];
  const state = fold(events.map((event, i) => ({ event, at: i, version: i + 1 })));
  const opened: string[] = [];
  const take = (event: RunEvent): void => void apply(state, { event, at: state.version, version: state.version + 1 });
  const log = {
    state,
    submit: (fact: Fact) => {
      for (const event of fact.events) {
        if (event.type === "InboxOpened") opened.push(event.data.item);
        take(event);
      }
      return Promise.resolve();
    },
  };
  const desk = new PermissionDesk(
    () => log as unknown as RunLog,
    (text) => text,
  );
  const say = (answered: string, more: { verdict: "approve" | "answer"; text?: string } = { verdict: "approve" }): void => {
    take({ type: "InboxAnswered", data: { item: answered, by: "ann", ...more } });
    desk.look(state);
  };
  return { desk, opened, say, log };
}

test("an answer that did not reach the agent before its engine died is given when it asks again", async () => {
  const { desk, opened } = takenUp();
  expect(await desk.ask(step, of.attempt, request, new AbortController().signal)).toEqual({ allow: true });
  expect(opened).toEqual([]);
});

test("an answer that had reached it is used up: the same asked once more is a question of its own", async () => {
  const { desk, opened, say } = takenUp();
  let answer: unknown;
  const asking = desk.ask(step, of.attempt, { ...request, before: 1 }, new AbortController().signal).then((said) => (answer = said));
  await Promise.resolve();
  expect(opened).toEqual(["r/a!2"]);
  expect(answer).toBeUndefined();
  say("r/a!2");
  await asking;
  expect(answer).toEqual({ allow: true });
  const again = desk.ask(step, of.attempt, { ...request, before: 1 }, AbortSignal.abort());
  expect(await again).toMatchObject({ allow: false });
});

test("an agent's question is the same item for the next engine by its request, answered or not, and in the same words only while it waits", async () => {
  const { desk, opened, say, log } = takenUp();
  const asked = { ...of, item: "r/a!2", kind: "question" as const, title: "Which colour?", choices: ["red", "blue"], who: [], count: 1 };
  const question = { title: asked.title, choices: asked.choices };
  await log.submit({ events: [{ type: "InboxOpened", data: { ...asked, request: "one" } }] });
  const forget = new AbortController();
  const byWords = desk.question(step, of.attempt, { ...question, request: "two" }, forget.signal);
  const others = desk.question(step, of.attempt, { ...question, choices: ["red", "green"], request: "three" }, forget.signal);
  const byRequest = desk.question(step, of.attempt, { title: "other words", choices: [], request: "one" }, AbortSignal.any([]));
  await Promise.resolve();
  expect(opened).toEqual(["r/a!2", "r/a!3"]);
  say("r/a!2", { verdict: "answer", text: "blue" });
  expect(await byRequest).toBe("blue");
  expect(await desk.question(step, of.attempt, { ...question, request: "one" }, AbortSignal.any([]))).toBe("blue");
  const again = desk.question(step, of.attempt, { ...question, request: "four" }, forget.signal);
  await Promise.resolve();
  expect(opened).toEqual(["r/a!2", "r/a!3", "r/a!4"]);
  forget.abort();
  expect(await Promise.all([byWords, others, again])).toEqual([undefined, undefined, undefined]);
});
