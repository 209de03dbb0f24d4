import { expect, test } from "vitest";
import { countTokens } from "../tokens.ts";
import { ask, bodyOf, chunks, gateway, price, scripted, spec, tempHome, until, upstreamKey, type Loose } from "./gateway.testkit.ts";
import { costOf } from "./prices.ts";
import { readSpool, type SettledCall } from "./spool.ts";

const settledIn = (spool: string): SettledCall[] =>
  readSpool(spool).records.flatMap(({ record }) => (record.type === "settled" ? [record] : []));

test("a stream with text and tool calls reaches the agent as it was sent, under the name it asked for", async () => {
  const home = await tempHome();
  const args = { path: "src/a.ts", content: 'line "one"\nline ✓ two' };
  const model = await scripted({ rules: [{ answer: { text: "I will write it.", toolCalls: [{ name: "write", arguments: args }] } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  expect(open.url).toBe(`${client.url}/v1`);
  const got = await chunks(await ask(open, { model: "my-name", stream: true }));
  expect(got.at(-1)).toBe("[DONE]");
  const parts = got.slice(0, -1);
  expect(parts.map((c) => c.model)).toEqual(parts.map(() => "my-name"));
  expect(parts.map((c) => c.choices[0].delta.content ?? "").join("")).toBe("I will write it.");
  const calls = parts.flatMap((c) => c.choices[0].delta.tool_calls ?? []);
  expect(calls[0]).toMatchObject({ index: 0, type: "function", function: { name: "write" } });
  expect(JSON.parse(calls.map((c) => c.function.arguments).join(""))).toEqual(args);
  expect(parts.at(-1).choices[0].finish_reason).toBe("tool_calls");
  // It did not ask for usage, so it sees none; the upstream was asked all the same.
  expect(parts.some((c) => "usage" in c)).toBe(false);
  const [served] = model.served();
  expect(served?.request).toMatchObject({ model: "big-model-2026", max_tokens: 1_000, stream_options: { include_usage: true } });
  expect(served?.usageReported).toBe(true);
});

test("the bill is what the scripted endpoint counted, cached tokens priced apart", async () => {
  const home = await tempHome();
  const model = await scripted({
    rules: [
      { when: { lastUser: "cached" }, answer: { text: "ok", usage: { promptTokens: 1_003, cachedTokens: 801, completionTokens: 57 } } },
      { answer: { text: "one two three" } },
    ],
  });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model, { budgets: [{ id: "run:run1", limit: 1_000_000, spent: 0 }] }));
  const messages = [{ role: "user", content: "cached" }];
  const whole = await bodyOf(await ask(open, { messages }));
  expect(whole).toMatchObject({ model: "stepfall", choices: [{ message: { content: "ok" } }], usage: { prompt_tokens: 1_003 } });
  const streamed = await chunks(await ask(open, { messages, stream: true, stream_options: { include_usage: true } }));
  expect(streamed.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 1_003, completion_tokens: 57 } });
  await chunks(await ask(open, { stream: true }));
  const usage = await client.closeKey(open.key);
  const served = model.served();
  const bill = served.map((s) =>
    costOf({ inputTokens: s.promptTokens, cachedInputTokens: s.cachedTokens, outputTokens: s.completionTokens }, price),
  );
  // 202 + 801 / 2 + 114 = 716.5, half up.
  expect(bill[0]).toBe(717);
  expect(usage).toEqual({
    calls: 3,
    inputTokens: served.reduce((sum, s) => sum + s.promptTokens, 0),
    cachedInputTokens: 1_602,
    outputTokens: served.reduce((sum, s) => sum + s.completionTokens, 0),
    microUsd: bill.reduce((a, b) => a + b, 0),
    provenance: "reported",
  });
  expect(settledIn(client.spool).map((r) => r.microUsd)).toEqual(bill);
});

test("a stream the agent cuts is aborted upstream at once and billed for what passed", async () => {
  const home = await tempHome();
  const text = Array.from({ length: 400 }, (_, i) => `word${i}`).join(" ");
  const model = await scripted({ rules: [{ answer: { text, chunkDelayMs: 20 } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const cut = new AbortController();
  const response = await ask(open, { stream: true }, { signal: cut.signal });
  let seen = "";
  await expect(async () => {
    for await (const part of response.body ?? []) {
      seen += Buffer.from(part).toString("utf8");
      if (seen.includes("word9 ") || seen.includes('word9"')) cut.abort();
    }
  }).rejects.toThrow();
  await until(() => model.served()[0]?.outcome === "cut");
  const usage = await client.closeKey(open.key);
  const [served] = model.served();
  const [call] = settledIn(client.spool);
  expect(call).toMatchObject({ outcome: "cancelled", provenance: "estimated" });
  expect(served?.sentChunks).toBeLessThan(40);
  // Every chunk written was passed, but for those on their way when the agent left.
  const words = (n: number): number => countTokens(Array.from({ length: n }, (_, i) => (i ? ` word${i}` : "word0")).join(""));
  expect(usage.outputTokens).toBeGreaterThanOrEqual(words(10));
  expect(usage.outputTokens).toBeLessThanOrEqual(served?.sentTokens ?? 0);
  expect(usage.outputTokens).toBeGreaterThanOrEqual(words((served?.sentChunks ?? 0) - 2));
  expect(usage.inputTokens).toBeGreaterThan(0);
  expect(usage.microUsd).toBe(usage.inputTokens + 2 * usage.outputTokens);
});

test("an upstream that reports no usage is counted from what it said", async () => {
  const home = await tempHome();
  const model = await scripted({
    rules: [{ answer: { text: "some words were said", toolCalls: [{ name: "read", arguments: { path: "x" } }], usage: "none" } }],
  });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  await chunks(await ask(open, { stream: true }));
  await (await ask(open, {})).json();
  const usage = await client.closeKey(open.key);
  expect(usage).toMatchObject({ calls: 2, provenance: "estimated" });
  expect(usage.outputTokens).toBe(model.served().reduce((sum, s) => sum + s.sentTokens, 0));
});

test("errors of the upstream are passed through, cost nothing, and keep its secrets", async () => {
  const home = await tempHome();
  const model = await scripted({
    rules: [
      {
        when: { lastUser: "401" },
        answer: { fault: { kind: "status", status: 401, message: `Incorrect API key provided: ${upstreamKey}` } },
      },
      { when: { lastUser: "429" }, answer: { fault: { kind: "status", status: 429, retryAfterSeconds: 7 } } },
      { when: { lastUser: "500" }, answer: { fault: { kind: "status", status: 500, body: `<html><b>Bad</b> ${upstreamKey}</html>` } } },
    ],
  });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const failing = async (content: string): Promise<{ status: number; retryAfter: string | null; error: Loose }> => {
    const response = await ask(open, { stream: true, messages: [{ role: "user", content }] });
    return { status: response.status, retryAfter: response.headers.get("retry-after"), error: (await bodyOf(response)).error };
  };
  expect(await failing("401")).toMatchObject({ status: 401, error: { message: "Incorrect API key provided: [masked]" } });
  expect(await failing("429")).toMatchObject({ status: 429, retryAfter: "7" });
  expect((await failing("500")).error.message).toBe("scripted (big-model-2026) answered HTTP 500: Bad [masked]");
  const usage = await client.closeKey(open.key);
  expect(usage).toMatchObject({ calls: 3, microUsd: 0, inputTokens: 0, outputTokens: 0 });
  expect(usage.upstreamError).toMatch(/^HTTP 500 from scripted/);
  expect(settledIn(client.spool).map((r) => r.outcome)).toEqual(["failed", "failed", "failed"]);
});

test("an error page of brackets without end holds up nobody", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { fault: { kind: "status", status: 400, body: "<".repeat(500_000) } } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const began = performance.now();
  expect((await ask(open, {})).status).toBe(400);
  // Read once for each bracket it took minutes, with all other calls waiting.
  expect(performance.now() - began).toBeLessThan(15_000);
});

test("streams that break, stall or hold no JSON end with an error the agent can read, and are counted", async () => {
  const home = await tempHome();
  const text = "one two three four five six";
  const model = await scripted({
    rules: [
      { when: { lastUser: "reset" }, answer: { text, chunkDelayMs: 30, fault: { kind: "reset", afterChunks: 3 } } },
      { when: { lastUser: "truncate" }, answer: { text, fault: { kind: "truncate", afterChunks: 3 } } },
      { when: { lastUser: "malformed" }, answer: { text, fault: { kind: "malformed", afterChunks: 3 } } },
      { when: { lastUser: "stall" }, answer: { text, fault: { kind: "hang", afterChunks: 3 } } },
      { when: { lastUser: "silent" }, answer: { text, fault: { kind: "hang" } } },
      { when: { lastUser: "drop" }, answer: { text, fault: { kind: "reset" } } },
    ],
  });
  const client = await gateway({ home, tuning: { firstByteMs: 400, upstreamIdleMs: 300 } });
  const run = async (content: string): Promise<{ status: number; text: string; call: SettledCall | undefined }> => {
    // A provider of its own each: one that failed so often would be left alone for a while.
    const open = await client.openKey(spec(model, { upstream: { provider: content } }));
    const response = await ask(open, { stream: true, messages: [{ role: "user", content }] });
    const got = await response.text();
    await client.closeKey(open.key);
    return { status: response.status, text: got, call: settledIn(client.spool).at(-1) };
  };
  const three = countTokens("one two three");
  const reset = await run("reset");
  expect(reset.text).toContain("stream_interrupted");
  expect(reset.text).not.toContain("[DONE]");
  expect(reset.call).toMatchObject({ outcome: "failed", provenance: "estimated" });
  expect(reset.call?.outputTokens).toBeLessThanOrEqual(three);
  expect(reset.call?.outputTokens).toBeGreaterThan(0);
  expect((await run("truncate")).call).toMatchObject({ outcome: "failed", provenance: "estimated", outputTokens: three });
  // Its usage came all the same.
  expect((await run("malformed")).call).toMatchObject({ outcome: "failed", provenance: "reported", outputTokens: countTokens(text) });
  const stall = await run("stall");
  expect(stall.text).toContain("sent nothing for 0.3 s");
  expect(stall.call).toMatchObject({ outcome: "failed", provenance: "estimated", outputTokens: three });
  // Sent, and no word came back: only the reservation bounds it.
  const silent = await run("silent");
  expect(silent.status).toBe(504);
  expect(silent.call).toMatchObject({ outcome: "failed", provenance: "unknown", outputTokens: 1_000 });
  expect(silent.call?.microUsd).toBe(silent.call?.reservedMicroUsd);
  expect((await run("drop")).status).toBe(502);
});

test("nobody listens at the upstream: 502 with a sentence, and no charge", async () => {
  const home = await tempHome();
  const client = await gateway({ home });
  const open = await client.openKey(spec("http://127.0.0.1:1/v1"));
  const response = await ask(open, {});
  expect(response.status).toBe(502);
  expect((await bodyOf(response)).error.message).toBe("The model endpoint scripted (big-model-2026) cannot be reached (ECONNREFUSED).");
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, microUsd: 0, provenance: "reported" });
});

test("closing a key cancels what is in flight and waits until it is settled", async () => {
  const home = await tempHome();
  const model = await scripted({ rules: [{ answer: { text: "a b c d e f g h".repeat(50), chunkDelayMs: 20 } }] });
  const client = await gateway({ home });
  const open = await client.openKey(spec(model));
  const pending = ask(open, { stream: true }).then((r) => r.text());
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 3);
  const usage = await client.closeKey(open.key);
  expect(usage).toMatchObject({ calls: 1, provenance: "estimated" });
  expect(await pending).toContain("the attempt has ended");
  await until(() => model.served()[0]?.outcome === "cut");
  expect((await ask(open, {})).status).toBe(401);
});

test("an agent that reads slowly slows the upstream down: the gateway holds no stream back and none in memory", async () => {
  const home = await tempHome();
  const text = `${"x".repeat(2_000)} `.repeat(10_000);
  const model = await scripted({ rules: [{ answer: { text, usage: { promptTokens: 1, completionTokens: 1 } } }] });
  const client = await gateway({ home, tuning: { upstreamIdleMs: 1_500 } });
  const open = await client.openKey(spec(model));
  const response = await ask(open, { stream: true });
  await until(() => (model.served()[0]?.sentChunks ?? 0) > 0);
  let before = -1;
  await until(async () => {
    const now = model.served()[0]?.sentChunks ?? 0;
    const stands = now === before;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 400));
    return stands;
  });
  expect(before).toBeLessThan(9_000);
  await new Promise((resolve) => setTimeout(resolve, 1_600));
  // It stood still for longer than the upstream may be silent, and goes on.
  expect((await response.text()).endsWith("data: [DONE]\n\n")).toBe(true);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, provenance: "reported" });
});
