import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import {
  connectGateway,
  startScriptedModel,
  type GatewayClient,
  type KeySpec,
  type ModelPrice,
  type ScriptedModel,
  type ScriptedModelOptions,
} from "../../models/index.ts";
import { createGatewayAsk } from "./ask.ts";
import { pickBest } from "./best-of.ts";
import type { JudgeGateRequest } from "./contract.ts";
import { runJudgeGate } from "./gate.ts";

/** The real gateway, one for all of these, and the scripted model behind it. */
let home: string;
let client: GatewayClient;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepfall-judging-"));
  client = await connectGateway({ home, clock: { now: () => Date.now() }, tuning: { idleMs: 300 } });
});

afterAll(async () => {
  await client.disconnect();
  await vi.waitFor(() => expect(() => process.kill(client.pid, 0)).toThrow("ESRCH"), 30_000);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

async function scripted(script: ScriptedModelOptions["script"]): Promise<ScriptedModel> {
  const model = await startScriptedModel({ script });
  onTestFinished(() => model.close());
  return model;
}

const price: ModelPrice = { input: 1_000_000, cachedInput: 500_000, output: 2_000_000, source: "configured" };

const spec = ({ baseUrl }: ScriptedModel, model: string, budgets: KeySpec["budgets"] = []): KeySpec => ({
  runId: "run1",
  attempt: "run1/build#1",
  agent: `judge-${model}`,
  tier: "free",
  upstreams: [{ provider: "scripted", baseUrl, model, price }],
  budgets,
  maxOutputTokens: 2_000,
});

const rubric: JudgeGateRequest["rubric"] = { criteria: [{ id: "correct", text: "It does what was asked." }] };
const scores = (score: number): string => JSON.stringify({ scores: [{ criterion: "correct", reason: "line 1", score }] });
const common = { fence: "7b1d5f3c9e", signal: new AbortController().signal, now: () => 0, maxOutputTokens: 500 };
const work = { prompt: "Add sum.", diff: "+sum" };

test("judges are asked through the gateway, each under its own key, and every call is metered where the attempt's bill is", async () => {
  const model = await scripted(({ model: asked, messages }) => {
    if (messages.length === 2 && messages[0]?.role === "system" && messages[1]?.content.includes("+sum"))
      return { text: asked === "cheap-model" ? `Sure!\n${scores(9)}` : scores(2) };
    return undefined;
  });
  const cheap = await client.openKey(spec(model, "cheap-model"));
  const other = await client.openKey(spec(model, "other-model"));
  const models = new Map([
    ["cheap", { ...cheap, price }],
    ["other", { ...other, price, provider: "openai" }],
  ]);
  const ask = createGatewayAsk({ models });
  const passed = await runJudgeGate({ ...common, name: "judge", rubric, candidate: work, judges: [{ id: "cheap" }], ask });
  expect(passed).toMatchObject({ verdict: "passed", calls: 2, unpricedCalls: 0 });
  const split = await runJudgeGate({ ...common, name: "judge", rubric, candidate: work, judges: [{ id: "cheap" }, { id: "other" }], ask });
  expect(split).toMatchObject({ verdict: "refused", calls: 4, unpricedCalls: 0 });
  const [cheapUsage, otherUsage] = [await client.closeKey(cheap.key), await client.closeKey(other.key)];
  expect([cheapUsage.calls, otherUsage.calls]).toEqual([4, 2]);
  // What the judging says it cost is what the gateway metered.
  expect(cheapUsage.microUsd + otherUsage.microUsd).toBe(passed.microUsd + split.microUsd);
  expect(passed.microUsd).toBeGreaterThan(0);
  const lengths = model.served().map(({ model: asked, request }) => [asked, request["max_tokens"], request["max_completion_tokens"]]);
  expect(lengths).toContainEqual(["cheap-model", 500, undefined]);
  expect(lengths).toContainEqual(["other-model", undefined, 500]);
});

test("a budget that refuses a judge ends the judging, and names itself", async () => {
  const model = await scripted({ rules: [{ answer: { text: scores(9) } }] });
  const open = await client.openKey(spec(model, "cheap", [{ id: "run:run1", limit: 1, spent: 0 }]));
  const ask = createGatewayAsk({ models: new Map([["cheap", open]]) });
  const outcome = await runJudgeGate({ ...common, name: "judge", rubric, candidate: work, judges: [{ id: "cheap" }], ask });
  expect(outcome).toMatchObject({ verdict: "errored", because: "budget", message: expect.stringContaining("run:run1") });
  expect(model.served()).toEqual([]);
});

test("a provider that fails, an answer that is cut, and a judge without a model make judges abstain", async () => {
  const model = await scripted(({ model: asked }) =>
    asked === "down" ? { fault: { kind: "status", status: 500, message: "out of order" } } : { text: scores(9), finishReason: "length" },
  );
  const down = await client.openKey(spec(model, "down"));
  const short = await client.openKey(spec(model, "short"));
  const models = new Map([
    ["down", down],
    ["short", short],
  ]);
  const ask = createGatewayAsk({ models, maxRetries: 0 });
  const judges: JudgeGateRequest["judges"] = [{ id: "down" }, { id: "short" }, { id: "stranger" }];
  const outcome = await runJudgeGate({ ...common, name: "judge", rubric, candidate: work, judges, ask });
  expect(outcome).toMatchObject({ verdict: "errored", because: "no-answer" });
  expect(outcome.evidence).toContain("down: it could not be asked: HTTP 500");
  expect(outcome.evidence).toContain("short: its answer could not be used, twice: it was cut at its output limit");
  expect(outcome.evidence).toContain("stranger: it could not be asked: no model was handed in for judge stranger");
});

test("a judge that never answers is left at its deadline, and at once when the judging is stopped", async () => {
  const model = await scripted({ rules: [{ answer: { text: "late", fault: { kind: "hang" } } }] });
  const open = await client.openKey(spec(model, "slow"));
  const models = new Map([["slow", open]]);
  const candidates = [
    { id: "a", diff: "1" },
    { id: "b", diff: "2" },
  ] as const;
  const request = { ...common, prompt: "Add sum.", candidates, judges: [{ id: "slow" }] as const };
  const late = await pickBest({ ...request, ask: createGatewayAsk({ models, timeoutMs: 300 }) });
  expect(late).toMatchObject({ kind: "errored", message: expect.stringContaining("no answer within") });
  const stop = new AbortController();
  const stopped = pickBest({ ...request, ask: createGatewayAsk({ models }), signal: stop.signal });
  setTimeout(() => stop.abort(), 300);
  expect(await stopped).toMatchObject({ kind: "aborted" });
});
