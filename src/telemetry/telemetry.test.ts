import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runStream, type Pipeline, type RunEvent } from "../domain/index.ts";
import { startReceiver, type Receiver } from "../engine/receiver.testkit.ts";
import { openSqliteStore, type CallRow, type Store } from "../store/index.ts";
import { Outbound } from "./outbound.ts";
import { openTelemetry, parseHeaders, spanIdOf, traceIdOf, traceparentOf } from "./index.ts";

const PATIENT = 60_000;
const clock = { now: () => Date.now() };
const runId = "01run";
const attempt = `${runId}/fix#1`;

const pipeline = {
  name: "repair",
  steps: [
    {
      path: "fix",
      kind: "agent",
      prompt: "fix it",
      agent: { capability: [] },
      needs: [],
      readonly: false,
      outputs: { files: [] },
      gates: [],
      setup: [],
      retry: { attempts: 3, backoffMs: 0 },
      timeoutMs: 1000,
      env: {},
      touches: [],
      priority: 0,
    },
  ],
} as Pipeline;

const begin: RunEvent[] = [
  { type: "RunStarted", data: { runId, pipeline, project: "/p", base: "b", branch: "x", agents: [], includeDirty: false } },
  { type: "AttemptRouted", data: { attempt, step: "fix", n: 1, tier: "mid", candidates: ["coder"], reasons: [] } },
  { type: "AttemptStarted", data: { attempt, step: "fix", agent: "coder", node: "n", epoch: 1, queuedMs: 250 } },
];
const usage = { calls: 2, inputTokens: 300, cachedInputTokens: 100, outputTokens: 30, microUsd: 45, provenance: "reported" as const };
const end: RunEvent[] = [
  {
    type: "AttemptRejected",
    data: {
      attempt,
      step: "fix",
      gates: [{ name: "tests", kind: "command", verdict: "refused", durationMs: 120 }],
      findings: [{ gate: "tests", message: "two fail; the key is the-secret" }],
      usage,
    },
  },
  { type: "StepFailed", data: { step: "fix", because: "its only attempt was refused" } },
  { type: "RunFinished", data: { outcome: "failed" } },
];
const call = (callId: string, more: Partial<CallRow> = {}): CallRow => ({
  callId,
  runId,
  attempt,
  agent: "coder",
  provider: "acme",
  model: "large",
  tier: "mid",
  at: 1_700_000_000_000,
  durationMs: 1500,
  inputTokens: 150,
  cachedInputTokens: 50,
  outputTokens: 15,
  microUsd: 20,
  provenance: "reported",
  outcome: "ok",
  reservedMicroUsd: 100,
  ...more,
});

interface Otlp {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code: number; message?: string };
}
const spansIn = ({ received }: Receiver): Otlp[] =>
  received.flatMap(({ path, body }) =>
    path !== "/v1/traces"
      ? []
      : (body as { resourceSpans: { scopeSpans: { spans: Otlp[] }[] }[] }).resourceSpans.flatMap((r) =>
          r.scopeSpans.flatMap((s) => s.spans),
        ),
  );
type Point = { attributes: Otlp["attributes"]; asInt?: number; count?: number; sum?: number };
const pointsIn = ({ received }: Receiver): Record<string, Point[]> => {
  const all: Record<string, Point[]> = {};
  for (const { path, body } of received) {
    if (path !== "/v1/metrics") continue;
    type Metric = { name: string; sum?: { dataPoints: Point[] }; histogram?: { dataPoints: Point[] } };
    const { resourceMetrics } = body as { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] };
    for (const { name, sum, histogram } of resourceMetrics.flatMap((r) => r.scopeMetrics.flatMap((s) => s.metrics)))
      (all[name] ??= []).push(...(sum?.dataPoints ?? histogram?.dataPoints ?? []));
  }
  return all;
};
const valuesOf = (of: Pick<Otlp, "attributes">): Record<string, unknown> =>
  Object.fromEntries(of.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

describe("traces and metrics of a run", { timeout: 4 * PATIENT }, () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "stepfall-telemetry-"));
    store = await openSqliteStore({ file: join(folder, "stepfall.db"), clock });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function record(events: readonly RunEvent[], calls: readonly CallRow[] = []): Promise<void> {
    const stream = runStream(runId);
    const expected = (await store.read(stream)).length;
    await store.commit({
      appends: [{ stream, expected, events: events.map((event) => ({ event, at: clock.now(), actor: "engine" })) }],
      projections: [{ kind: "calls", rows: calls }],
    });
  }
  const open = (receiver: { url: string }, headers: Record<string, string> = {}, closeMs = PATIENT) =>
    openTelemetry({
      store,
      clock,
      endpoint: receiver.url,
      headers,
      mask: (text) => text.replaceAll("the-secret", "***"),
      everyMs: 10,
      closeMs,
    });

  test("one trace: run, step, attempt, and below it gates and model calls, with tokens, model and cost", async () => {
    await using receiver = await startReceiver();
    const telemetry = open(receiver, parseHeaders("x-key=a%20b,bad header=1"));
    const following = telemetry.follow(runId);
    await record(begin);
    await record(end, [call("c1"), call("c2", { outcome: "failed", cacheWriteTokens: 7 })]);
    await following.finish();
    expect(await telemetry.close()).toEqual({ spans: 0, measurements: 0, logs: 0 });

    const spans = spansIn(receiver);
    const named = (name: string): Otlp => spans.find((s) => s.name === name) ?? expect.fail(`no span ${name}`);
    expect(spans.map((s) => s.name).toSorted()).toEqual([
      "chat large",
      "chat large",
      "gate tests",
      "invoke_agent coder",
      "invoke_workflow repair",
      "step fix",
    ]);
    expect(new Set(spans.map((s) => s.traceId))).toEqual(new Set([traceIdOf(runId)]));
    const [run, step, tried, gate] = [named("invoke_workflow repair"), named("step fix"), named("invoke_agent coder"), named("gate tests")];
    expect(run.parentSpanId).toBeUndefined();
    expect(step.parentSpanId).toBe(run.spanId);
    expect(tried.parentSpanId).toBe(step.spanId);
    expect(gate.parentSpanId).toBe(tried.spanId);
    expect(spans.filter((s) => s.name === "chat large").map((s) => s.parentSpanId)).toEqual([tried.spanId, tried.spanId]);
    expect(traceparentOf(runId, attempt)).toBe(`00-${run.traceId}-${tried.spanId}-01`);
    expect(tried.spanId).toBe(spanIdOf("attempt", attempt));
    expect(valuesOf(tried)).toMatchObject({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.id": "coder",
      "gen_ai.usage.input_tokens": 300,
      "stepfall.cost.micro_usd": 45,
      "stepfall.cost.provenance": "reported",
      "stepfall.queued_ms": 250,
      "stepfall.outcome": "rejected",
    });
    expect(tried.status).toEqual({ code: 2, message: "two fail; the key is ***" });
    const failedCall = spans.find((s) => valuesOf(s)["stepfall.call.id"] === "c2");
    expect(failedCall && valuesOf(failedCall)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "acme",
      "gen_ai.request.model": "large",
      "gen_ai.usage.output_tokens": 15,
      "gen_ai.usage.cache_creation.input_tokens": 7,
      "error.type": "failed",
    });
    expect(failedCall?.startTimeUnixNano).toBe("1700000000000000000");
    expect(failedCall?.endTimeUnixNano).toBe("1700000001500000000");
    expect(receiver.received[0]?.headers).toMatchObject({ "x-key": "a b", "content-type": "application/json" });

    const points = pointsIn(receiver);
    expect(points["stepfall.attempts"]?.map((p) => [p.asInt, valuesOf(p)["stepfall.outcome"]])).toEqual([[1, "rejected"]]);
    expect(points["stepfall.cost"]?.reduce((sum, p) => sum + (p.asInt ?? 0), 0)).toBe(40);
    expect(points["gen_ai.client.token.usage"]?.map((p) => [valuesOf(p)["gen_ai.token.type"], p.sum])).toEqual([
      ["input", 300],
      ["output", 30],
    ]);
    expect(points["stepfall.attempt.queue_wait"]?.[0]).toMatchObject({ count: 1, sum: 0.25 });
    expect(points["gen_ai.invoke_agent.duration"]?.[0]).toMatchObject({ count: 1 });
    expect(points["gen_ai.invoke_agent.inference_calls"]?.[0]).toMatchObject({ count: 1, sum: 2 });
    expect(points["stepfall.gate.verdicts"]?.map((p) => valuesOf(p)["stepfall.verdict"])).toEqual(["refused"]);
  });

  test("an engine that takes the run up goes on with the same trace, and sends nothing twice", async () => {
    await using receiver = await startReceiver();
    // It ends while a sending is under way.
    receiver.answer = async () => {
      await sleep(100);
      return { status: 200 };
    };
    await record(begin);
    const first = open(receiver);
    const before = first.follow(runId);
    await record(end.slice(0, 1), [call("c1")]);
    await before.finish();
    await expect.poll(() => receiver.received.length, { timeout: PATIENT, interval: 5 }).toBeGreaterThan(0);
    await first.close();
    const sent = spansIn(receiver).length;
    expect(sent).toBe(3);
    await record(end.slice(1));
    const second = open(receiver);
    await second.follow(runId).finish();
    await second.close();
    expect(
      spansIn(receiver)
        .slice(sent)
        .map((s) => s.name),
    ).toEqual(["step fix", "invoke_workflow repair"]);
    expect(spansIn(receiver).at(-1)?.spanId).toBe(spanIdOf("run", runId));
    expect(pointsIn(receiver)["stepfall.attempts"]).toHaveLength(1);
  });

  test("an endpoint that is down costs nothing but a count, and what was not sent goes out later", async () => {
    await record([...begin, ...end], [call("c1")]);
    const down = open({ url: "http://127.0.0.1:1" });
    const began = performance.now();
    await down.follow(runId).finish();
    const lost = await down.close();
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(lost).toMatchObject({ spans: 5, measurements: 9 });
    expect(lost.because).toBeTruthy();
    await using receiver = await startReceiver();
    const up = open(receiver);
    await up.follow(runId).finish();
    expect(await up.close()).toEqual({ spans: 0, measurements: 0, logs: 0 });
    expect(spansIn(receiver)).toHaveLength(5);
  });

  test("an endpoint that hangs, or refuses, is given up on in time", async () => {
    await record([...begin, ...end]);
    await using receiver = await startReceiver();
    receiver.answer = () => new Promise(() => undefined);
    const hung = open(receiver, {}, 500);
    await hung.follow(runId).finish();
    const began = performance.now();
    expect(await hung.close()).toMatchObject({ spans: 4 });
    expect(performance.now() - began).toBeLessThan(20_000);
    receiver.answer = () => ({ status: 400, body: "what is that" });
    const refused = open(receiver);
    await refused.follow(runId).finish();
    expect(await refused.close()).toMatchObject({ spans: 4, because: "HTTP 400: what is that" });
  });

  test("what comes faster than it can be sent is dropped, and counted", async () => {
    const many = Array.from({ length: 5000 }, (_, i): RunEvent => ({ type: "StepCompleted", data: { step: `s${i}` } }));
    await record([...begin, ...many]);
    const telemetry = open({ url: "http://127.0.0.1:1" });
    await telemetry.follow(runId).finish();
    expect(await telemetry.close()).toMatchObject({ spans: 5000 });
  });

  test("what is only measured is bounded as well, while nobody takes it", () => {
    const outbound = new Outbound({
      endpoint: "http://127.0.0.1:1",
      headers: {},
      clock,
      mask: (text) => text,
      arrived: () => Promise.resolve(),
      unreachable: () => undefined,
      everyMs: 60_000,
    });
    const one = { name: "stepfall.attempt.queue_wait" as const, value: 1, attributes: {} };
    for (let i = 0; i < 20_000; i += 1) outbound.add({ spans: [], measurements: [one], logs: [] });
    expect(outbound.waiting).toBeLessThanOrEqual(8192);
  });

  test("of a call that was never answered no tokens are counted: the ledger has what it may have used at most", async () => {
    await using receiver = await startReceiver();
    const unanswered = call("c3", { provider: "gemini", provenance: "unknown", outcome: "failed", inputTokens: 900, outputTokens: 8000 });
    await record([...begin, ...end], [call("c1"), unanswered]);
    const telemetry = open(receiver);
    await telemetry.follow(runId).finish();
    await telemetry.close();
    expect(pointsIn(receiver)["gen_ai.client.token.usage"]?.map((p) => p.sum)).toEqual([150, 15]);
    const span = spansIn(receiver).find((s) => valuesOf(s)["stepfall.call.id"] === "c3");
    expect(span && valuesOf(span)).toMatchObject({ "gen_ai.provider.name": "gcp.gemini", "stepfall.provider": "gemini" });
    expect(span && Object.keys(valuesOf(span)).filter((key) => key.startsWith("gen_ai.usage"))).toEqual([]);
    const costs = pointsIn(receiver)["stepfall.cost"]?.map((p) => valuesOf(p)["stepfall.cost.provenance"]);
    expect(costs?.toSorted()).toEqual(["reported", "unknown"]);
  });

  test("lines of the log arrive with the rest; an endpoint without a place for them is no reason to send spans twice", async () => {
    await using receiver = await startReceiver();
    receiver.answer = ({ path }) => ({ status: path === "/v1/logs" ? 404 : 200 });
    await record([...begin, ...end]);
    const telemetry = open(receiver);
    const line = { at: 1, level: "warn" as const, process: "driver", pid: 1, event: "x", message: "said" };
    telemetry.logs(line);
    await telemetry.follow(runId).finish();
    expect(await telemetry.close()).toMatchObject({ spans: 0, logs: 1, because: "HTTP 404" });
    expect(spansIn(receiver)).toHaveLength(4);
    receiver.answer = () => ({ status: 200 });
    const second = open(receiver);
    second.logs(line);
    expect(await second.close()).toEqual({ spans: 0, measurements: 0, logs: 0 });
    expect(JSON.stringify(receiver.received.at(-1))).toContain('"said"');
  });

  test("an endpoint whose answer has no end, or holds what must not be shown, is read in part and masked before it is cut", async () => {
    await using receiver = await startReceiver();
    receiver.answer = () => ({ status: 400, body: `${"x".repeat(195)}the-secret and ${"y".repeat(1_000_000)}` });
    await record([...begin, ...end]);
    const telemetry = open(receiver);
    await telemetry.follow(runId).finish();
    const { because = "" } = await telemetry.close();
    expect(because).toMatch(/^HTTP 400: x+\*\*\*/);
    expect(because).not.toContain("the-s");
    expect(because.length).toBeLessThan(250);
  });
});
