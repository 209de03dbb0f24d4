import { expect, test } from "vitest";
import { countTokens } from "../../tokens.ts";
import type { Protocol } from "../contract.ts";
import type { Json, Meter } from "./wire.ts";
import { wires } from "./wires.ts";

const fed = (protocol: Protocol, ...answers: readonly Json[]): Meter => {
  const meter = wires[protocol].meter();
  for (const answer of answers) meter.take(answer);
  return meter;
};

test("Anthropic's input is the sum of what it reads, caches and writes; an hour's writes are told apart", () => {
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 200,
    cache_creation_input_tokens: 50,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
    output_tokens: 1,
  };
  const input = { inputTokens: 260, cachedInputTokens: 200, cacheWriteTokens: 50, cacheWriteLongTokens: 30 };
  const start = { type: "message_start", message: { usage } };
  const said = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hello there" } };
  const thought = { type: "content_block_delta", index: 1, delta: { type: "thinking_delta", thinking: "hm" } };
  const cut = fed("messages", start, said, thought);
  expect([cut.reported, cut.input, cut.isFinished]).toEqual([undefined, input, false]);
  expect(cut.countOutput()).toBe(countTokens("hello there") + countTokens("hm"));
  // The end may say nothing of the input, or say it again with what came since.
  const end = { type: "message_delta", usage: { output_tokens: 7, input_tokens: null } };
  expect(fed("messages", start, end, { type: "message_stop" })).toMatchObject({
    reported: { ...input, outputTokens: 7 },
    isFinished: true,
  });
  const more = { type: "message_delta", usage: { output_tokens: 7, cache_read_input_tokens: 300 } };
  expect(fed("messages", start, more).reported).toMatchObject({ inputTokens: 360, cachedInputTokens: 300 });
  expect(fed("messages", { type: "message", content: [], usage }).reported).toEqual({ ...input, outputTokens: 1 });
});

test("Gemini's thoughts are output, what its tools put in is input, and a running sum is no report before the end", () => {
  const usageMetadata = {
    promptTokenCount: 100,
    cachedContentTokenCount: 40,
    toolUsePromptTokenCount: 5,
    candidatesTokenCount: 3,
    thoughtsTokenCount: 9,
  };
  const part = (more: Json = {}) => ({ candidates: [{ content: { parts: [{ text: "hi" }] }, ...more }], usageMetadata });
  expect(fed("gemini", part())).toMatchObject({ reported: undefined, input: { inputTokens: 105, cachedInputTokens: 40 } });
  expect(fed("gemini", part()).countOutput()).toBe(12);
  expect(fed("gemini", part(), part({ finishReason: "STOP" })).reported).toEqual({
    inputTokens: 105,
    cachedInputTokens: 40,
    outputTokens: 12,
  });
  const blocked = { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 8 } };
  expect(fed("gemini", blocked).reported).toEqual({ inputTokens: 8, cachedInputTokens: 0, outputTokens: 0 });
});

test("a response that was cut is counted by its texts, its thoughts and its calls; its end reports", () => {
  const usage = { input_tokens: 100, input_tokens_details: { cached_tokens: 64 }, output_tokens: 20 };
  const item = { type: "function_call", name: "shell", arguments: "" };
  const cut = fed(
    "responses",
    { type: "response.created", response: { usage: null } },
    { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "let me see" },
    { type: "response.output_item.added", output_index: 1, item },
    { type: "response.function_call_arguments.delta", output_index: 1, delta: '{"cmd":"ls"}' },
  );
  expect([cut.reported, cut.isFinished]).toEqual([undefined, false]);
  expect(cut.countOutput()).toBe(countTokens("let me see") + countTokens('shell{"cmd":"ls"}'));
  for (const type of ["response.completed", "response.incomplete", "response.failed"])
    expect(fed("responses", { type, response: { usage } })).toMatchObject({
      isFinished: true,
      reported: { inputTokens: 100, cachedInputTokens: 64, outputTokens: 20 },
    });
});

test("nonsense for a usage is none", () => {
  for (const usage of [undefined, null, 3, { input_tokens: -1, output_tokens: 2 }, { prompt_tokens: "9" }, { input_tokens: 1.5 }])
    for (const [protocol, answer] of [
      ["chat", { usage }],
      ["responses", { object: "response", usage }],
      ["messages", { type: "message", usage }],
      ["gemini", { candidates: [{ finishReason: "STOP" }], usageMetadata: usage }],
    ] as const)
      expect(fed(protocol, answer).reported).toBeUndefined();
});
