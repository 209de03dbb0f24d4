import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, stepCountIs, jsonSchema, streamText, tool, type LanguageModel } from "ai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectGateway } from "../connect.ts";
import { readSpool } from "../spool.ts";
import { basesAt, clock, endProcess, price, protocols, scripted, spec } from "../gateway.testkit.ts";
import type { GatewayClient, OpenKey, Protocol } from "../contract.ts";

/** One gateway for the file: a process takes its time to start. */
let client: GatewayClient;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepfall-gateway-"));
  client = await connectGateway({ home, clock });
}, 60_000);
afterAll(async () => {
  await client.disconnect();
  await endProcess(client.pid);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const pairs = protocols.flatMap((agent) =>
  protocols.filter((upstream) => upstream !== agent).map((upstream) => [agent, upstream] as const),
);

/** The client libraries that people use, each in its own format. */
function clientOf(agent: Protocol, { key, url }: OpenKey): LanguageModel {
  const origin = url.replace(/\/v1$/, "");
  switch (agent) {
    case "chat":
      return createOpenAICompatible({ name: "agent", baseURL: url, apiKey: key, includeUsage: true })("my-name");
    case "responses":
      return createOpenAI({ baseURL: url, apiKey: key }).responses("my-name");
    case "messages":
      return createAnthropic({ baseURL: url, apiKey: key })("my-name");
    case "gemini":
      return createGoogleGenerativeAI({ baseURL: `${origin}/v1beta`, apiKey: key })("my-name");
    default:
      return agent satisfies never;
  }
}

const script = {
  rules: [
    {
      when: { turn: 0 },
      answer: {
        text: "I look at both.",
        toolCalls: [
          { name: "read_file", arguments: { path: "a.txt" } },
          { name: "read_file", arguments: { path: "b/c.txt", deep: { lines: [1, 2] } } },
        ],
        usage: { promptTokens: 120, cachedTokens: 20, completionTokens: 30 },
      },
    },
    {
      when: { turn: 1, toolResults: 2 },
      answer: { text: "Both are read: ok.", usage: { promptTokens: 200, cachedTokens: 100, completionTokens: 8 } },
    },
  ],
};

describe.each(pairs)("a client that speaks %s, at an upstream that speaks %s only", (agent, upstream) => {
  test("calls tools side by side, whole and streamed, and is billed what the upstream reported", async () => {
    const model = await scripted(script);
    const attempt = `run1/${agent}-${upstream}#1`;
    const bases = { [upstream]: basesAt(model.origin)[upstream] };
    const open = await client.openKey(spec(model, { attempt, upstream: { bases, price } }));
    const asked = {
      model: clientOf(agent, open),
      system: "Be exact.",
      prompt: "Read both files.",
      maxOutputTokens: 300,
      temperature: 0.5,
      maxRetries: 0,
      // Else it sends names of what it takes to lie at OpenAI.
      providerOptions: { openai: { store: false } },
      stopWhen: stepCountIs(3),
      tools: {
        read_file: tool({
          description: "Reads a file",
          inputSchema: jsonSchema<{ path: string }>({ type: "object", properties: { path: { type: "string" } }, required: ["path"] }),
          execute: ({ path }) => `content of ${path}`,
        }),
      },
    };
    const whole = await generateText(asked);
    const stream = streamText(asked);
    await stream.consumeStream();
    for (const [text, steps] of [
      [whole.text, whole.steps],
      [await stream.text, await stream.steps],
    ] as const) {
      expect(text).toBe("Both are read: ok.");
      expect(steps.map((step) => [step.text, step.finishReason])).toEqual([
        ["I look at both.", "tool-calls"],
        ["Both are read: ok.", "stop"],
      ]);
      expect(steps[0]?.toolCalls.map(({ toolName, input }) => [toolName, input])).toEqual([
        ["read_file", { path: "a.txt" }],
        ["read_file", { path: "b/c.txt", deep: { lines: [1, 2] } }],
      ]);
      expect(steps.map(({ usage }) => [usage.inputTokens, usage.inputTokenDetails.cacheReadTokens, usage.outputTokens])).toEqual([
        [120, 20, 30],
        [200, 100, 8],
      ]);
    }

    const served = model.served();
    expect(served.map((call) => [call.dialect, call.model, call.stream, call.outcome])).toEqual(
      [false, false, true, true].map((isStream) => [upstream, "big-model-2026", isStream, "completed"]),
    );
    // Both results of the tools came back to the upstream under the ids it had given.
    expect(JSON.stringify(served[1]?.request)).toMatch(/call_scripted_1_0.*content of a\.txt.*call_scripted_1_1.*content of b\/c\.txt/s);
    const usage = await client.closeKey(open.key);
    expect(usage).toMatchObject({ calls: 4, inputTokens: 640, cachedInputTokens: 240, outputTokens: 76, provenance: "reported" });
    expect(usage.microUsd).toBe(
      served.reduce((sum, call) => sum + call.promptTokens - call.cachedTokens / 2 + 2 * call.completionTokens, 0),
    );
    const reserved = readSpool(client.spool).records.flatMap(({ record }) =>
      record.type === "reserved" && record.attempt === attempt ? [record.maxOutputTokens] : [],
    );
    expect(reserved).toEqual([300, 300, 300, 300]);
  }, 60_000);
});
