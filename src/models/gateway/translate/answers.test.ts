import { describe, expect, test } from "vitest";
import type { Protocol } from "../contract.ts";
import type { Json } from "../wire/wire.ts";
import { translation } from "./index.ts";
import { least, options, protocols, streamed, translated } from "./translation.testkit.ts";

describe("a stream", () => {
  const chunk = (delta: Json, finish_reason: string | null = null): Json => ({ choices: [{ index: 0, delta, finish_reason }] });
  const call = (index: number, more: Json): Json => chunk({ tool_calls: [{ index, ...more }] });
  const mixed = [
    call(0, { id: "a", function: { name: "f", arguments: '{"x"' } }),
    call(1, { id: "b", function: { name: "g", arguments: '{"y"' } }),
    call(0, { function: { arguments: ":1}" } }),
    call(1, { function: { arguments: ":2}" } }),
    chunk({}, "tool_calls"),
    "[DONE]" as const,
  ];
  const tools = [
    { name: "f", input_schema: {} },
    { name: "g", input_schema: {} },
  ];

  test("that mixes the arguments of two calls is told apart where the format can, and else ends with an error", () => {
    const toGemini = streamed(translated("gemini", "chat", least("gemini"), { path: { model: "mine", stream: true } }).answers, mixed);
    expect(JSON.stringify(toGemini)).toMatch(/"id":"a","name":"f","args":\{"x":1\}.*"id":"b","name":"g","args":\{"y":2\}/);
    const toMessages = streamed(translated("messages", "chat", least("messages", { stream: true, tools })).answers, mixed);
    expect(toMessages.at(-1)).toMatchObject({
      event: "error",
      data: { error: { message: expect.stringContaining("mixes the arguments") as string } },
    });
    expect(toMessages.filter(({ event }) => event === "error")).toHaveLength(1);
  });

  test("of a server that gives no ids, no indexes and the same index twice still has every call once", () => {
    const events = [
      chunk({ tool_calls: [{ function: { name: "f", arguments: "{}" } }] }),
      chunk({ tool_calls: [{ index: 0, id: "b", function: { name: "g", arguments: "{}" } }] }),
      chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "g", arguments: "{}" } }] }),
      chunk({}, "stop"),
    ];
    const heard = streamed(translated("messages", "chat", least("messages", { stream: true, tools })).answers, events);
    const starts = heard.flatMap(({ event, data }) =>
      event === "content_block_start" ? [(data as { content_block: Json }).content_block] : [],
    );
    expect(starts.slice(-2)).toMatchObject([
      { id: "b", name: "g" },
      { id: "c", name: "g" },
    ]);
    expect(heard.at(-2)).toMatchObject({ data: { delta: { stop_reason: "tool_use" } } });
  });

  test("with thinking keeps it apart from the words, without a signature", () => {
    const heard = streamed(translated("messages", "chat", least("messages", { stream: true })).answers, [
      chunk({ reasoning_content: "hm" }),
      chunk({ content: "yes" }),
      chunk({}, "stop"),
      { choices: [], usage: { prompt_tokens: 5, completion_tokens: 3, completion_tokens_details: { reasoning_tokens: 1 } } },
      "[DONE]",
    ]);
    expect(heard.map(({ data }) => data)).toMatchObject([
      { type: "message_start" },
      { content_block: { type: "thinking", thinking: "", signature: "" } },
      { delta: { type: "thinking_delta", thinking: "hm" } },
      { type: "content_block_stop", index: 0 },
      { index: 1, content_block: { type: "text" } },
      { delta: { type: "text_delta", text: "yes" } },
      { type: "content_block_stop", index: 1 },
      { type: "message_delta", usage: { input_tokens: 5, output_tokens: 3 } },
      { type: "message_stop" },
    ]);
  });

  test.each([
    ["chat", { error: { message: "boom" } }],
    ["messages", { type: "error", error: { type: "overloaded_error", message: "boom" } }],
    ["responses", { type: "response.failed", response: { status: "failed", error: { message: "boom" } } }],
    ["gemini", { error: { code: 503, message: "boom", status: "UNAVAILABLE" } }],
  ] as const)("in %s that reports an error in its middle ends with it in every format", (upstream, problem) => {
    for (const agent of protocols) {
      if (agent === upstream) continue;
      const events = streamed(translated(agent, upstream, least(agent, agent === "gemini" ? {} : { stream: true })).answers, [
        problem,
        "[DONE]",
      ]);
      expect(JSON.stringify(events.at(-1)?.data)).toMatch(/"error":\{.*boom/);
    }
  });
});

describe("an answer's end", () => {
  const ends: Record<Protocol, Record<"length" | "refused", Json>> = {
    chat: {
      length: { choices: [{ message: { content: "x" }, finish_reason: "length" }] },
      refused: { choices: [{ message: { content: null, refusal: "no" }, finish_reason: "content_filter" }] },
    },
    responses: {
      length: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [] },
      refused: { status: "incomplete", incomplete_details: { reason: "content_filter" }, output: [] },
    },
    messages: {
      length: { content: [{ type: "text", text: "x" }], stop_reason: "max_tokens" },
      refused: { content: [], stop_reason: "refusal" },
    },
    gemini: {
      length: { candidates: [{ content: { parts: [{ text: "x" }] }, finishReason: "MAX_TOKENS" }] },
      refused: { promptFeedback: { blockReason: "SAFETY" } },
    },
  };
  const words: Record<Protocol, Record<"length" | "refused", string>> = {
    chat: { length: '"finish_reason":"length"', refused: '"finish_reason":"content_filter"' },
    responses: { length: '"reason":"max_output_tokens"', refused: '"reason":"content_filter"' },
    messages: { length: '"stop_reason":"max_tokens"', refused: '"stop_reason":"refusal"' },
    gemini: { length: '"finishReason":"MAX_TOKENS"', refused: '"finishReason":"SAFETY"' },
  };
  test.each(["length", "refused"] as const)("%s is said in every format", (end) => {
    for (const upstream of protocols)
      for (const agent of protocols) {
        if (agent === upstream) continue;
        const { status, body } = translated(agent, upstream, least(agent)).answers.answer(ends[upstream][end]);
        expect(status).toBe(200);
        expect(JSON.stringify(body)).toContain(words[agent][end]);
      }
  });

  test("of an answer that failed is an error, not an empty answer", () => {
    const broken = { candidates: [{ content: { parts: [] }, finishReason: "MALFORMED_FUNCTION_CALL" }] };
    const { status, body } = translated("chat", "gemini", least("chat")).answers.answer(broken);
    expect([status, JSON.stringify(body)]).toEqual([502, expect.stringContaining("MALFORMED_FUNCTION_CALL")]);
  });
});

test("an error says its kind in the agent's own words, and that a conversation is too long in those its clients act upon", () => {
  const tooLong = {
    error: {
      message: "This model's maximum context length is 8192 tokens.",
      type: "invalid_request_error",
      code: "context_length_exceeded",
    },
  };
  const error = (from: Protocol, to: Protocol, status: number, body: Json): unknown => translation(from, to)?.error(status, body);
  expect(error("messages", "chat", 400, tooLong)).toMatchObject({
    error: { type: "invalid_request_error", message: expect.stringMatching(/^prompt is too long: /) as string },
  });
  const said = { type: "error", error: { type: "invalid_request_error", message: "prompt is too long: 9 tokens > 8 maximum" } };
  expect(error("responses", "messages", 400, said)).toMatchObject({ error: { code: "context_length_exceeded" } });
  expect(error("gemini", "chat", 429, { error: { message: "slow" } })).toEqual({
    error: { code: 429, message: "slow", status: "RESOURCE_EXHAUSTED" },
  });
  expect(error("messages", "gemini", 529, { error: { code: 529, message: "busy", status: "UNAVAILABLE" } })).toMatchObject({
    error: { type: "overloaded_error", message: "busy" },
  });
  expect(error("chat", "messages", 500, {})).toMatchObject({
    error: { message: expect.stringContaining("500") as string, type: "server_error" },
  });
});

test("between an agent and an upstream of one format nothing is translated", () => {
  for (const protocol of protocols) expect(translation(protocol, protocol)).toBeUndefined();
  expect(translation("chat", "gemini")?.request({ model: "m", messages: [{ role: "robot", content: "x" }] }, options())).toMatchObject({
    ok: false,
  });
});
