import { expect, test, vi } from "vitest";
import { runStream } from "../domain/index.ts";
import type { Store } from "../store/index.ts";
import { engineOn, noBranches, pipelineOf, readonlyStep, scratchHome, storeOn, type Behaviour } from "./engine.testkit.ts";
import { sendMessage, whyNoMessage, type EngineDeps } from "./index.ts";

const clock = { now: () => Date.now() };
const mask = (text: string): string => text.replaceAll("sk-secret", "***");
const say = (store: Store, text: string, step = "fix", actor = "cli:ann") =>
  sendMessage({ store, clock, actor, mask }, { runId: "r", step, text });

/** An agent that works until it was told so many messages. */
function listener(count: number): { behave: Behaviour; began: Promise<void>; heard: string[] } {
  const began = Promise.withResolvers<void>();
  const heard: string[] = [];
  const behave: Behaviour = async (_, { messages }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _following = messages?.follow(({ n, by, text }) => {
      heard.push(`${n} ${by}: ${text}`);
      messages.delivered(n);
      messages.delivered(n);
      if (heard.length === count) resolve();
    });
    began.resolve();
    await promise;
    return { kind: "ended", summary: "done" };
  };
  return { behave, began: began.promise, heard };
}

async function runOf(behave: Behaviour, executorKind = "chat") {
  const home = scratchHome();
  /** Messages that the engine which drives the run has taken in. */
  const seen: number[] = [];
  const onFeed: EngineDeps["onFeed"] = (item) =>
    void (item.kind === "event" && item.event.type === "MessageSent" && seen.push(item.event.data.n));
  const t = await engineOn(home, behave, { executorKind, onFeed });
  await t.start("r", pipelineOf(readonlyStep("fix"), readonlyStep("later", ["fix"])));
  return { ...t, seen, other: await storeOn(home), drive: () => t.engine.drive("r", { workspaces: noBranches }) };
}

test("what several people say from other processes reaches the agent in order, once each, and is recorded with who said it", async () => {
  const { behave, began, heard } = listener(6);
  const run = await runOf((task, context) =>
    task.step.path === "fix" ? behave(task, context) : Promise.resolve({ kind: "ended", summary: "" }),
  );
  const driving = run.drive();
  await began;
  expect(await say(run.other, " use sk-secret and tabs\n")).toEqual({ attempt: "r/fix#1", agent: "fn", n: 1 });
  await Promise.all(["a", "b", "c", "d", "e"].map((text, i) => say(run.other, text, "fix", `web:p${i}`)));
  expect(await driving).toEqual({ kind: "finished", outcome: "succeeded" });
  const journal = await run.other.read(runStream("r"));
  const sent = journal.flatMap((e) => (e.event.type === "MessageSent" ? [{ ...e.event.data, actor: e.actor }] : []));
  expect(sent[0]).toEqual({ attempt: "r/fix#1", step: "fix", n: 1, text: "use *** and tabs", by: "ann", actor: "cli:ann" });
  expect(heard).toEqual(sent.map(({ n, by, text }) => `${n} ${by}: ${text}`));
  expect(sent.map((m) => m.n)).toEqual([1, 2, 3, 4, 5, 6]);
  const delivered = journal.flatMap((e) => (e.event.type === "MessageDelivered" ? [e.event.data.n] : []));
  expect(delivered).toEqual([1, 2, 3, 4, 5, 6]);
  const accepted = journal.findIndex((e) => e.event.type === "AttemptAccepted");
  expect(journal.findLastIndex((e) => e.event.type === "MessageDelivered")).toBeLessThan(accepted);
});

test("an agent that begins to listen late, as after a takeover, is told all there is at once and in order", async () => {
  const [began, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const heard: string[] = [];
  const run = await runOf(async ({ step }, { messages }) => {
    if (step.path !== "fix") return { kind: "ended", summary: "" };
    began.resolve();
    await go.promise;
    messages?.follow(({ text }) => void heard.push(text))[Symbol.dispose]();
    return { kind: "ended", summary: "" };
  });
  const driving = run.drive();
  await began.promise;
  for (const text of ["a", "b", "c"]) await say(run.other, text);
  // The engine that drives the run tells what it has taken in.
  await vi.waitFor(() => expect(run.seen).toEqual([1, 2, 3]), 30_000);
  go.resolve();
  await driving;
  expect(heard).toEqual(["a", "b", "c"]);
});

test("what is said when the agent listens no more is kept, and is not called delivered", async () => {
  const go = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const run = await runOf(async () => (began.resolve(), await go.promise, { kind: "ended", summary: "" }));
  const driving = run.drive();
  await began.promise;
  await say(run.other, "stop");
  go.resolve();
  await driving;
  const [attempt] = (await run.engine.load("r")).steps.get("fix")?.attempts ?? [];
  expect(attempt?.messages).toMatchObject([{ n: 1, text: "stop", by: "ann" }]);
  expect(attempt?.messages?.[0]?.deliveredAt).toBeUndefined();
});

test("the next attempt at the step is told what was said to the one before, also what came too late for it", async () => {
  const prompts: string[] = [];
  const went = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const go = Promise.withResolvers<void>();
  const home = scratchHome();
  const t = await engineOn(
    home,
    async ({ prompt }) => {
      went[prompts.push(prompt) - 1]?.resolve();
      if (prompts.length > 1) return { kind: "ended", summary: "" };
      await go.promise;
      return { kind: "failed", because: "agent", message: "cannot" };
    },
    { executorKind: "acp" },
  );
  await t.start("r", pipelineOf(readonlyStep("fix", [], { retry: { attempts: 2, backoffMs: 0 } })));
  const driving = t.engine.drive("r", { workspaces: noBranches });
  await went[0]?.promise;
  await say(await storeOn(home), "use tabs\nand no semicolons");
  go.resolve();
  expect(await driving).toEqual({ kind: "finished", outcome: "succeeded" });
  expect(prompts.map((p) => p.includes("people said"))).toEqual([false, true]);
  expect(prompts[1]).toContain("- ann: use tabs\n  and no semicolons");
});

test("nothing is recorded where nobody can be told: no agent, none that works now, one that takes no messages, a run that is over", async () => {
  const go = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const run = await runOf(async () => (began.resolve(), await go.promise, { kind: "ended", summary: "" }), "cli");
  const driving = run.drive();
  await began.promise;
  const refusals: Record<string, unknown> = {};
  for (const step of ["fix", "later", "gone"]) refusals[step] = await say(run.other, "hello", step).catch((e: Error) => e.message);
  expect(refusals).toEqual({
    fix: "messages are not supported by fn: agents of executor cli are given one prompt",
    later: "no agent works on later now: it is waiting",
    gone: "run r has no step gone",
  });
  expect(whyNoMessage(await run.engine.load("r"), "fix")).toBe(refusals["fix"]);
  go.resolve();
  await driving;
  await expect(say(run.other, "hello")).rejects.toMatchObject({ code: "MESSAGE_REFUSED", message: "run r is over" });
  await expect(sendMessage({ store: run.other, clock, actor: "cli:a", mask }, { runId: "x", step: "s", text: "t" })).rejects.toMatchObject({
    code: "RUN_UNKNOWN",
  });
  expect((await run.other.read(runStream("r"))).filter((e) => e.event.type === "MessageSent")).toEqual([]);
});

test("what a program says to an agent is not taken for a person's word", async () => {
  const { behave, began, heard } = listener(2);
  const run = await runOf((task, context) =>
    task.step.path === "fix" ? behave(task, context) : Promise.resolve({ kind: "ended", summary: "" }),
  );
  const driving = run.drive();
  await began;
  await say(run.other, "go", "fix", "mcp:ann");
  await say(run.other, "on", "fix", "web:ann");
  await driving;
  expect(heard).toEqual(["1 mcp:ann: go", "2 ann: on"]);
});

test("an empty message and one that is a file are refused", async () => {
  const { behave, began } = listener(1);
  const run = await runOf((task, context) =>
    task.step.path === "fix" ? behave(task, context) : Promise.resolve({ kind: "ended", summary: "" }),
  );
  const driving = run.drive();
  await began;
  for (const text of ["  \n", "x".repeat(8001)]) await expect(say(run.other, text)).rejects.toMatchObject({ code: "MESSAGE_REFUSED" });
  await say(run.other, "go");
  expect(await driving).toEqual({ kind: "finished", outcome: "succeeded" });
});
