import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ScriptedAnswer } from "../scripted/index.ts";
import { connectGateway } from "./connect.ts";
import type { GatewayClient, OpenKey, Protocol } from "./contract.ts";
import { asked, basesAt, bodyOf, clock, endProcess, price, protocols, scripted, send, spec, until } from "./gateway.testkit.ts";
import { costOf } from "./prices.ts";
import { readSpool, type SettledCall } from "./spool.ts";

/** One gateway for the file: a process takes its time to start. Tests tell their calls by their attempt. */
let client: GatewayClient;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepfall-gateway-"));
  client = await connectGateway({ home, clock, tuning: { upstreamIdleMs: 500, maxBodyBytes: 64 * 1024 } });
});
afterAll(async () => {
  await endProcess(client.pid);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

let attempts = 0;
const attempt = (): string => `run1/build#${(attempts += 1)}`;

const settledIn = (of: string): SettledCall[] =>
  readSpool(client.spool).records.flatMap(({ record }) => (record.type === "settled" && record.attempt === of ? [record] : []));

const sdk: Record<Protocol, (open: OpenKey) => LanguageModel> = {
  chat: ({ url, key }) => createOpenAICompatible({ name: "x", baseURL: url, apiKey: key, includeUsage: true })("my-name"),
  responses: ({ url, key }) => createOpenAI({ baseURL: url, apiKey: key }).responses("my-name"),
  messages: ({ url, key }) => createAnthropic({ baseURL: url, apiKey: key })("my-name"),
  gemini: ({ key }) => createGoogleGenerativeAI({ baseURL: `${client.url}/v1beta`, apiKey: key })("my-name"),
};

/** Where each format has its cap. */
const capIn = (protocol: Protocol, body: Readonly<Record<string, unknown>>): unknown =>
  ({
    chat: body.max_tokens,
    responses: body.max_output_tokens,
    messages: body.max_tokens,
    gemini: (body.generationConfig as { maxOutputTokens?: number } | undefined)?.maxOutputTokens,
  })[protocol];

const read = tool({
  description: "reads a file",
  inputSchema: jsonSchema<{ path: string }>({ type: "object", properties: { path: { type: "string" } } }),
  execute: async ({ path }) => `content of ${path}`,
});

test.each(protocols)(
  "a real client works in %s through the gateway, streamed and not, and the bill is what was counted",
  async (protocol) => {
    const turns: ScriptedAnswer[] = [
      {
        text: "Let me look.",
        toolCalls: [{ name: "read", arguments: { path: "a.ts" } }],
        usage: { promptTokens: 1_003, cachedTokens: 801, cacheWriteTokens: 100, completionTokens: 57 },
      },
      { text: "It is fine." },
    ];
    const model = await scripted({ rules: [{ turns }] });
    const dear = { ...price, cacheWrite: 4_000_000 };
    const upstream = { bases: basesAt(model.origin), price: dear };
    const of = attempt();
    const open = await client.openKey(spec(model, { attempt: of, upstream, budgets: [{ id: `run:${of}`, limit: 1_000_000, spent: 0 }] }));
    const options = {
      model: sdk[protocol](open),
      prompt: "check a.ts",
      tools: { read },
      stopWhen: stepCountIs(4),
      maxOutputTokens: 9_999,
      providerOptions: { openai: { store: false } },
    };
    const whole = await generateText(options);
    expect(whole.text).toBe("It is fine.");
    expect(whole.steps.flatMap((s) => s.toolResults.map((r) => r.output))).toEqual(["content of a.ts"]);
    expect(whole.steps[0]?.usage).toMatchObject({ inputTokens: 1_003, outputTokens: 57, inputTokenDetails: { cacheReadTokens: 801 } });
    const streamed = streamText(options);
    expect(await streamed.text).toBe("It is fine.");
    expect((await streamed.steps)[0]?.usage).toMatchObject({ inputTokens: 1_003, outputTokens: 57 });
    const usage = await client.closeKey(open.key);
    const served = model.served();
    expect(served.map((s) => [s.dialect, s.model, s.stream, capIn(protocol, s.request)])).toEqual(
      [false, false, true, true].map((stream) => [protocol, "big-model-2026", stream, 1_000]),
    );
    const bill = served.map((s) =>
      costOf(
        {
          inputTokens: s.promptTokens,
          cachedInputTokens: s.cachedTokens,
          cacheWriteTokens: s.cacheWriteTokens,
          outputTokens: s.completionTokens,
        },
        dear,
      ),
    );
    // 202 + 801 / 2 + 114, and where cache writes are told 102 + 801 / 2 + 400 + 114.
    expect(bill[0]).toBe(protocol === "messages" ? 1_017 : 717);
    expect(settledIn(of).map((r) => r.microUsd)).toEqual(bill);
    expect(usage).toMatchObject({ calls: 4, microUsd: bill.reduce((a, b) => a + b, 0), provenance: "reported" });
  },
);

test.each(protocols)("in %s an answer bears the name the agent asked for, and a cut stream is billed for what passed", async (protocol) => {
  const text = Array.from({ length: 300 }, (_, i) => `word${i}`).join(" ");
  const model = await scripted({
    rules: [
      { when: { lastUser: "long" }, answer: { text, chunkDelayMs: 20, usage: { promptTokens: 5_000, cachedTokens: 10 } } },
      { answer: { text: "yes" } },
    ],
  });
  const of = attempt();
  const open = await client.openKey(spec(model, { attempt: of, upstream: { bases: basesAt(model.origin) } }));
  const headers = { authorization: `Bearer ${open.key}` };
  for (const stream of [false, true]) {
    const seen = await (await send(client.url, asked(protocol, { stream }), headers)).text();
    expect(seen).toContain("my-name");
    expect(seen).not.toContain("big-model-2026");
    // The events keep their names.
    if (stream && (protocol === "messages" || protocol === "responses"))
      expect(seen).toMatch(/^event: (message_start|response\.created)\n/);
  }
  const cut = new AbortController();
  const response = await send(client.url, asked(protocol, { stream: true, text: "long" }), headers, { signal: cut.signal });
  let seen = "";
  const reading = (async () => {
    for await (const part of response.body ?? []) {
      seen += Buffer.from(part).toString("utf8");
      if (seen.includes("word9")) cut.abort();
    }
  })();
  await expect(reading).rejects.toThrow();
  await until(() => model.served()[2]?.outcome === "cut");
  await client.closeKey(open.key);
  const [, , served] = model.served();
  const [, , row] = settledIn(of);
  expect(row).toMatchObject({ outcome: "cancelled", provenance: "estimated" });
  expect(row?.outputTokens).toBeGreaterThan(15);
  expect(row?.outputTokens).toBeLessThanOrEqual(served?.sentTokens ?? 0);
  expect(served?.sentTokens).toBeLessThan(300);
  // Two of the formats tell the input's figures before the end.
  const told = protocol === "messages" || protocol === "gemini";
  expect([row?.inputTokens === 5_000, row?.cachedInputTokens === 10]).toEqual([told, told]);
});

test("a budget refuses in every format with an error of that format, and tells what was needed", async () => {
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const upstream = { bases: basesAt(model.origin) };
  const poor = { runId: "poor", attempt: "poor/build#1", budgets: [{ id: "run:poor", limit: 500, spent: 0 }] };
  const open = await client.openKey(spec(model, { upstream, ...poor }));
  for (const protocol of protocols) {
    const refused = await send(client.url, asked(protocol), { authorization: `Bearer ${open.key}` });
    expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([402, "false"]);
    const body = await bodyOf(refused);
    expect(body.error.message).toContain("The budget run:poor cannot carry this call");
    const said = protocol === "gemini" ? body.error.status : body.error.type;
    expect(said.toLowerCase()).toBe("budget_exhausted");
    if (protocol === "messages") expect(body.type).toBe("error");
  }
  const { exhausted } = await client.closeKey(open.key);
  expect(exhausted).toMatchObject({ id: "run:poor", limit: 500, spent: 0 });
  expect(exhausted?.needed).toBeGreaterThan(2_000);
  expect(model.served()).toHaveLength(0);
});

test("the key is taken from every place a client puts it; a wrong one is refused in the client's format", async () => {
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const open = await client.openKey(spec(model, { upstream: { bases: basesAt(model.origin) } }));
  for (const protocol of protocols) {
    const request = asked(protocol);
    const withKey = { ...request, path: `${request.path}?key=${open.key}` };
    for (const [name, value] of [
      ["authorization", `Bearer ${open.key}`],
      ["x-api-key", open.key],
      ["x-goog-api-key", open.key],
    ] as const)
      expect((await send(client.url, request, { [name]: value })).status).toBe(200);
    expect((await send(client.url, withKey, {})).status).toBe(200);
    expect((await send(`${client.url}/k/${open.key}`, request, { authorization: "Bearer something-else" })).status).toBe(200);
    for (const wrong of [client.url, `${client.url}/k/sf-wrong`]) {
      const refused = await send(wrong, request, wrong === client.url ? {} : { "x-api-key": open.key });
      expect(refused.status).toBe(401);
      expect((await bodyOf(refused)).error.message).toContain("not known to the gateway");
    }
  }
  expect((await fetch(`${client.url}/k/${open.key}/v1/models`)).status).toBe(200);
  // The upstream got its own key, and never ours.
  expect(JSON.stringify(model.served())).not.toContain(open.key);
});

test("tokens are counted ahead without a bill, of the agreed model", async () => {
  const model = await scripted({ rules: [] });
  const open = await client.openKey(spec(model, { upstream: { bases: basesAt(model.origin) } }));
  const headers = { "x-api-key": open.key };
  const messages = { path: "/v1/messages/count_tokens?beta=true", body: asked("messages").body };
  expect((await bodyOf(await send(client.url, messages, headers))).input_tokens).toBeGreaterThan(3);
  const gemini = { path: "/v1beta/models/any:countTokens", body: asked("gemini").body };
  expect((await bodyOf(await send(client.url, gemini, headers))).totalTokens).toBeGreaterThan(3);
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 0, microUsd: 0 });
});

test("a format the provider of an agent's own login does not speak is refused, with what to do", async () => {
  const model = await scripted({ rules: [] });
  const upstream = { provider: "acme", bases: { messages: model.baseUrl } };
  const open = await client.openKey(spec(model, { credentials: "pass-through", upstream }));
  const refused = await send(`${client.url}/k/${open.key}`, asked("responses"), {});
  expect(refused.status).toBe(400);
  const { error } = await bodyOf(refused);
  expect(error.code).toBe("protocol_not_spoken");
  expect(error.message).toContain("acme does not speak responses; it speaks messages. Use an agent that speaks messages");
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 0, upstreamError: error.message });
});

test.each(protocols)("a stream in %s that breaks ends with an error its client can read", async (protocol) => {
  const fault = { kind: "hang" as const, afterChunks: 2 };
  const model = await scripted({ rules: [{ answer: { text: "one two three four", fault } }] });
  const open = await client.openKey(spec(model, { upstream: { bases: basesAt(model.origin) } }));
  const errors: unknown[] = [];
  const streamed = streamText({
    model: sdk[protocol](open),
    prompt: "?",
    onError: ({ error }) => void errors.push(error),
    maxRetries: 0,
  });
  await streamed.consumeStream();
  expect(JSON.stringify(errors, (_, value: unknown) => (value instanceof Error ? { ...value, message: value.message } : value))).toContain(
    "sent nothing for 0.5 s",
  );
  expect(await client.closeKey(open.key)).toMatchObject({ calls: 1, provenance: "estimated" });
});

test("a request that comes compressed is read, and refused when it is too large unpacked", async () => {
  const model = await scripted({ rules: [{ answer: { text: "yes" } }] });
  const open = await client.openKey(spec(model, { upstream: { bases: basesAt(model.origin) } }));
  const post = async (text: string, encoding: string, pack: (bytes: Buffer) => Buffer): Promise<number> => {
    const { path, body } = asked("responses", { text });
    const headers = { authorization: `Bearer ${open.key}`, "content-encoding": encoding };
    return (await fetch(client.url + path, { method: "POST", headers, body: new Uint8Array(pack(Buffer.from(JSON.stringify(body)))) }))
      .status;
  };
  expect(await post("hello", "zstd", zstdCompressSync)).toBe(200);
  expect(await post("hello", "gzip", gzipSync)).toBe(200);
  expect(await post("x".repeat(200_000), "gzip", gzipSync)).toBe(413);
  expect(await post("hello", "rot13", (bytes) => bytes)).toBe(400);
  expect(model.served()).toHaveLength(2);
});

test("whatever a script answers, in whatever format, the bill is what the endpoint counted", async () => {
  const answers = new Map<string, ScriptedAnswer>();
  const model = await scripted(({ messages }) => answers.get(messages.at(-1)?.content ?? ""));
  const of = attempt();
  const open = await client.openKey(
    spec(model, { attempt: of, upstream: { bases: basesAt(model.origin), price: { ...price, cacheWrite: 1_300_000 } } }),
  );
  const count = fc.integer({ min: 0, max: 5_000 });
  const usage = fc.tuple(count, count, count, count).map(([plain, cachedTokens, cacheWriteTokens, completionTokens]) => ({
    promptTokens: plain + cachedTokens + cacheWriteTokens,
    cachedTokens,
    cacheWriteTokens,
    completionTokens,
  }));
  const words = fc.array(fc.constantFrom("one", "two ✓", "\n", "drei", "{"), { maxLength: 8 }).map((w) => w.join(" "));
  const answer = fc.record(
    {
      text: words,
      toolCalls: fc.array(fc.record({ name: fc.constantFrom("write", "run"), arguments: fc.dictionary(fc.string(), words) }), {
        maxLength: 2,
      }),
      usage: fc.oneof(usage, fc.constant("none" as const)),
      fault: fc.oneof(
        fc.record({ kind: fc.constant("truncate" as const), afterChunks: fc.nat(4) }),
        fc.record({ kind: fc.constant("status" as const), status: fc.constantFrom(400, 429, 500, 529) }),
      ),
    },
    { requiredKeys: [] },
  );
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...protocols), fc.boolean(), answer, async (protocol, stream, given) => {
      const text = `call ${(n += 1)}`;
      answers.set(text, given);
      await (await send(client.url, asked(protocol, { stream, text }), { authorization: `Bearer ${open.key}` })).text();
      const served = model.served()[n - 1];
      await until(() => settledIn(of).length === n);
      const row = settledIn(of)[n - 1];
      if (!served || !row) throw new TypeError("no call was seen");
      if (served.outcome === "error") {
        expect(row).toMatchObject({ outcome: "failed", inputTokens: 0, outputTokens: 0, microUsd: 0 });
        return;
      }
      expect(row.outcome).toBe(served.outcome === "completed" ? "ok" : "failed");
      expect(row.provenance).toBe(served.usageReported ? "reported" : "estimated");
      expect(row.outputTokens).toBe(served.usageReported ? served.completionTokens : served.sentTokens);
      if (served.inputReported) {
        expect(row.inputTokens).toBe(served.promptTokens);
        expect(row.cachedInputTokens).toBe(served.cachedTokens);
        expect(row.cacheWriteTokens ?? 0).toBe(served.cacheWriteTokens);
      } else expect(row.inputTokens).toBeGreaterThan(0);
      expect(row.microUsd).toBe(costOf(row, { ...price, cacheWrite: 1_300_000 }));
    }),
    { numRuns: 80, seed: 20_261_121 },
  );
});
