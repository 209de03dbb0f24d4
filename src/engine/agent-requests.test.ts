import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { AttemptTask, ExecutionContext, Executor } from "../agents/index.ts";
import { DEFAULT_TIERS } from "../config/index.ts";
import { fold, runStream, runToolLimits, type EventData, type EventType, type RunEvent } from "../domain/index.ts";
import { Registry } from "../fleet/index.ts";
import { connectGateway, type GatewayClient } from "../models/index.ts";
import type { Store } from "../store/index.ts";
import { AgentRequests } from "./agent-requests.ts";
import { engineOn, noBranches, pipelineOf, readonlyStep, scratchHome, storeOn, type TestEngine } from "./engine.testkit.ts";
import { answerItem, type AgentExecution } from "./index.ts";
import type { RunLog } from "./run-log.ts";

const clock = { now: (): number => Date.now() };

/** What an agent sees of the tools of its run. */
interface Tools {
  call(name: string, input: unknown, id?: string): Promise<{ text: string; isError: boolean }>;
  task: AttemptTask;
}

async function callTool(url: string, name: string, input: unknown, id: string): Promise<{ text: string; isError: boolean }> {
  const params = { name, arguments: input, _meta: { "stepfall/request": id } };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  const data = /^data: (.*)$/m.exec(await response.text())?.[1] ?? "{}";
  const { result } = JSON.parse(data) as { result?: { content: { text: string }[]; isError?: boolean } };
  return { text: result?.content[0]?.text ?? data, isError: result?.isError === true };
}

/** One for all, as its start is what takes longest. */
let gateway: GatewayClient;
let gatewayHome: string;
beforeAll(async () => {
  gatewayHome = mkdtempSync(join(tmpdir(), "stepfall-engine-"));
  gateway = await connectGateway({ home: gatewayHome, clock });
});
afterAll(async () => {
  await gateway.disconnect();
  process.kill(gateway.pid, "SIGTERM");
  rmSync(gatewayHome, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

/** The real engine, store and gateway; the agents are functions of the test that call the tools of their run. */
async function engineWithTools(work: (tools: Tools) => Promise<unknown>, mask = (text: string): string => text): Promise<TestEngine> {
  const home = scratchHome();
  const executor: Executor = {
    kind: "test",
    needsWorkspace: false,
    runTools: "surely",
    preflight: () => Promise.resolve({ ok: true, detail: "" }),
    execute: async (task: AttemptTask, context: ExecutionContext) => {
      const url = context.mcp?.url ?? "";
      try {
        await work({ task, call: (name, input, id = randomUUID()) => callTool(url, name, input, id) });
        return { kind: "ended", summary: task.prompt };
      } catch (error) {
        return { kind: "failed", because: "agent", message: String(error) };
      }
    },
  };
  const registry = new Registry<AgentExecution>();
  const upstream = { provider: "none", baseUrl: "http://127.0.0.1:9/v1", model: "m" };
  const execution: AgentExecution = { executor, maxOutputTokens: 1, upstreams: [upstream] };
  registry.register({
    id: "fn",
    tier: "free",
    capabilities: [],
    takesPrompts: true,
    executorKind: "test",
    account: "acc",
    executor: execution,
  });
  return engineOn(home, () => Promise.reject(new TypeError("not asked")), {
    registry,
    routing: () => ({ tiers: DEFAULT_TIERS, defaultAgent: "fn" }),
    gateway: () => Promise.resolve(gateway),
    mask,
  });
}

const drive = (t: TestEngine, runId = "r") => t.engine.drive(runId, { workspaces: noBranches });
async function of<T extends EventType>(store: Store, type: T, runId = "r"): Promise<EventData<T>[]> {
  const events = await store.read(runStream(runId));
  return events.flatMap(({ event }) => (event.type === type ? [event.data as EventData<T>] : []));
}

test("a request that is handed on twice is recorded once, and answered as the first time", async () => {
  const said: string[] = [];
  const t = await engineWithTools(async ({ call }) => {
    const [put, report] = [randomUUID(), randomUUID()];
    for (let i = 0; i < 2; i++) said.push((await call("blackboard_put", { key: "a", value: i }, put)).text);
    said.push(
      (await call("blackboard_put", { key: "a", value: "later" })).text,
      (await call("blackboard_put", { key: "a", value: 9 }, put)).text,
    );
    for (let i = 0; i < 2; i++) said.push((await call("report", { text: "half way", percent: 50 }, report)).text);
  });
  await t.start("r", pipelineOf(readonlyStep("a")));
  expect(await drive(t)).toEqual({ kind: "finished", outcome: "succeeded" });
  expect(said).toEqual([...[1, 1, 2, 1].map((version) => JSON.stringify({ key: "a", version })), "Told.", "Told."]);
  expect(await of(t.deps.store, "BlackboardPut")).toMatchObject([
    { value: 0, version: 1, step: "a", attempt: "r/a#1" },
    { value: "later", version: 2 },
  ]);
  expect(await of(t.deps.store, "AgentReported")).toMatchObject([{ text: "half way", percent: 50 }]);
});

test("of agents that count together by compare-and-set none loses a step, and the fold of the journal says what they read", async () => {
  const each = 6;
  const t = await engineWithTools(async ({ call }) => {
    for (let done = 0; done < each;) {
      const now = JSON.parse((await call("blackboard_get", { key: "n" })).text) as { n?: { value: number; version: number } };
      const { isError } = await call("blackboard_put", { key: "n", value: (now.n?.value ?? 0) + 1, expect: now.n?.version ?? 0 });
      if (!isError) done += 1;
    }
  });
  await t.start("r", pipelineOf(...["a", "b", "c"].map((path) => readonlyStep(path))));
  expect(await drive(t)).toEqual({ kind: "finished", outcome: "succeeded" });
  expect((await of(t.deps.store, "BlackboardPut")).map(({ value, version }) => [value, version])).toEqual(
    Array.from({ length: 3 * each }, (_, i) => [i + 1, i + 1]),
  );
  expect((await t.engine.load("r")).board.get("n")).toMatchObject({ value: 3 * each, version: 3 * each });
});

test("what is written is bounded and masked, and reports in a hurry are shown and not kept", async () => {
  const big = "x".repeat(runToolLimits.valueBytes - 100);
  const said: Record<string, string> = {};
  const shown: string[] = [];
  const t = await engineWithTools(
    async ({ call }) => {
      const put = async (name: string, key: string, value: unknown): Promise<void> =>
        void (said[name] = (await call("blackboard_put", { key, value })).text);
      await put("large", "large", "x".repeat(runToolLimits.valueBytes));
      await put("secret key", "my-secret", 1);
      await put("none", "none", undefined);
      await put("masked", "masked", { "the-secret": ["a secret", 1, null] });
      const fits = Math.floor(runToolLimits.boardBytes / (big.length + 10));
      for (let i = 0; i < fits; i++) await put("fits", `k${i}`, big);
      await put("full", "one-more", big);
      said["all"] = (await call("blackboard_get", {})).text;
      said["one"] = (await call("blackboard_get", { key: "k3" })).text;
      await put("again", "k0", "small");
      await put("room", "one-more", big);
      await call("report", { text: "the secret is told" });
      said["hurry"] = (await call("report", { text: "and told" })).text;
      said["masked value"] = (await call("blackboard_get", { prefix: "mask" })).text;
    },
    (text) => text.replaceAll("secret", "***"),
  );
  t.deps.onFeed = (item) => void (item.kind === "progress" && shown.push(item.text));
  await t.start("r", pipelineOf(readonlyStep("a")));
  expect(await drive(t)).toEqual({ kind: "finished", outcome: "succeeded" });
  expect(said).toMatchObject({
    large: expect.stringContaining("is the most") as string,
    "secret key": "The key holds a secret.",
    none: expect.stringContaining("value") as string,
    fits: expect.stringContaining('"version":1') as string,
    full: expect.stringContaining("the blackboard is full") as string,
    again: expect.stringContaining('"version":2') as string,
    room: expect.stringContaining('"version":1') as string,
    hurry: expect.stringContaining("not kept") as string,
  });
  // A model reads it: all of a full board would be more than many can take.
  expect(said["all"]?.length).toBeLessThan(30_000);
  expect(said["all"]).toMatch(/\n\[\d+ more, to be had by key or prefix: k1, .*k9/);
  expect(JSON.parse(said["one"] ?? "")).toMatchObject({ k3: { value: big, version: 1, step: "a" } });
  expect(said["masked value"]).toBe('{"masked":{"value":{"the-***":["a ***",1,null]},"version":1,"step":"a"}}');
  expect((await of(t.deps.store, "AgentReported")).map((e) => e.text)).toEqual(["the *** is told"]);
  expect(shown).toContain("and told");
});

test("an agent sees the board of its own run, not that of another", async () => {
  const seen: Record<string, string> = {};
  const t = await engineWithTools(async ({ call, task }) => {
    if (task.runId === "r") await call("blackboard_put", { key: "mine", value: "of r" });
    else seen[task.runId] = (await call("blackboard_get", {})).text;
  });
  for (const runId of ["r", "other"]) {
    await t.start(runId, pipelineOf(readonlyStep("a")));
    expect(await drive(t, runId)).toEqual({ kind: "finished", outcome: "succeeded" });
  }
  expect(seen).toEqual({ other: "{}" });
});

test("a question waits for people; asked again in the same words it is the same item, and after its answer another", async () => {
  const said: string[] = [];
  const waits: unknown[] = [];
  const t = await engineWithTools(async ({ call }) => {
    const question = { question: "Which colour?\nIt is for the door.", choices: ["red", "blue"] };
    // Two that ask the same at once, as a client does that gave the first one up.
    const both = await Promise.all([call("ask", question), call("ask", question)]);
    said.push(...both.map(({ text }) => text), (await call("ask", question)).text);
  });
  // As another process would.
  const store = await storeOn(t.deps.home);
  const answer = async (item: string, text: string): Promise<void> => {
    for (;;) {
      const rows = await store.listInbox();
      waits.push(...rows.filter((row) => row.item === item).map(({ title, detail, attempt }) => ({ title, detail, attempt })));
      if (rows.some((row) => row.item === item)) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await answerItem(store, clock, { item, by: "ann", verdict: "answer", text }, "cli:ann");
  };
  await t.start("r", pipelineOf(readonlyStep("a")));
  const driven = drive(t);
  await answer("r/a!1", "red");
  await expect(answerItem(store, clock, { item: "r/a!1", by: "bob", verdict: "answer", text: "blue" }, "cli:bob")).rejects.toMatchObject({
    code: "ITEM_CLOSED",
  });
  await answer("r/a!2", "blue");
  expect(await driven).toEqual({ kind: "finished", outcome: "succeeded" });
  expect(said).toEqual(["red", "red", "blue"]);
  const detail = "Which colour?\nIt is for the door.";
  expect(waits).toEqual([1, 2].map(() => ({ title: "Which colour?", detail, attempt: "r/a#1" })));
  expect(await of(store, "InboxOpened")).toMatchObject([
    { kind: "question", choices: ["red", "blue"], request: expect.any(String) as string },
    {},
  ]);
  expect(await store.listInbox()).toEqual([]);
});

/** Requests of three agents at work, put to a desk of the test's own. */
function atTheDesk(question: () => Promise<string | undefined>, mask = (text: string): string => text) {
  const steps = ["a", "b", "c"].map((path) => readonlyStep(path));
  const started = { runId: "r", project: "/p", base: "b", branch: "stepfall/r", agents: [], includeDirty: false };
  const events: RunEvent[] = [
    { type: "RunStarted", data: { ...started, pipeline: pipelineOf(...steps) } },
    ...steps.flatMap(({ path: step }): RunEvent[] => [
      { type: "AttemptRouted", data: { attempt: `r/${step}#1`, step, n: 1, tier: "free", candidates: ["fn"], reasons: [] } },
      { type: "AttemptStarted", data: { attempt: `r/${step}#1`, step, agent: "fn", node: "n", epoch: 1, queuedMs: 0 } },
    ]),
  ];
  const log = { state: fold(events.map((event, i) => ({ event, at: i, version: i + 1 }))) } as unknown as RunLog;
  const requests = new AgentRequests(() => log, { question }, { clock, mask });
  const over = new AbortController();
  const waits: string[] = [];
  const waiting = <T>(what: string, answer: Promise<T>): Promise<T> => {
    waits.push(what);
    return answer.finally(() => waits.splice(waits.indexOf(what), 1));
  };
  const servers = steps.map((step) => requests.serve({ step, attempt: `r/${step.path}#1`, agent: "fn", signal: over.signal, waiting }));
  const ask = (agent: number, id: string, words = `question ${id}?`) =>
    servers[agent]?.answer({ id, delivery: id, keyId: "k", tool: "ask", input: { question: words } });
  return { ask, over, waits };
}

test("while an agent waits for people its watch knows it, in few words and without secrets; and whoever has lost the attempt says nothing", async () => {
  const answers: PromiseWithResolvers<string | undefined>[] = [];
  const { ask, over, waits } = atTheDesk(
    () => {
      answers.push(Promise.withResolvers());
      return answers.at(-1)?.promise ?? Promise.resolve(undefined);
    },
    (text) => text.replaceAll("sk-secret", "***"),
  );
  const first = ask(0, "1", `May I use sk-secret for this?\n${"and why ".repeat(300)}`);
  const other = ask(0, "2", "May I use sk-secret for this?");
  expect(waits).toEqual(["question 1: May I use *** for this?", "question 2: May I use *** for this?"]);
  answers[0]?.resolve("yes");
  expect(await first).toEqual({ text: "yes" });
  expect(waits).toHaveLength(1);
  answers[1]?.resolve("no");
  await other;
  const last = ask(0, "3");
  over.abort();
  answers[2]?.resolve(undefined);
  expect(await last).toBeUndefined();
});

test("an agent that asks without end is told to decide itself, and a run whose agents all ask does not flood people", async () => {
  let put = 0;
  const { ask } = atTheDesk(() => ((put += 1), new Promise(() => undefined)));
  const refused: string[] = [];
  const askOften = (agent: number): void => {
    for (let n = 0; n < 10_000; n += 1) void ask(agent, `${agent}.${n}`)?.then((reply) => refused.push(reply?.text ?? ""));
  };
  askOften(0);
  await vi.waitFor(() => expect(refused).toHaveLength(10_000 - runToolLimits.questions));
  expect(new Set(refused)).toEqual(new Set([expect.stringMatching(/^You have asked 30 questions.*Decide yourself/) as string]));
  askOften(1);
  refused.length = 0;
  askOften(2);
  await vi.waitFor(() => expect(refused.at(-1)).toMatch(/^60 questions of this run wait for people already/));
  expect(put).toBe(runToolLimits.questionsOfRun);
});

test("an agent whose request fails here hears so, and does not wait until its time is up", async () => {
  const { ask } = atTheDesk(() => {
    throw new TypeError("a bug");
  });
  expect(await ask(0, "1")).toMatchObject({ isError: true, text: expect.stringContaining("failed at this request") as string });
});
