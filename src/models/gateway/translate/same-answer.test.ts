import { describe, expect, test } from "vitest";
import type { Protocol } from "../contract.ts";
import type { Json } from "../wire/wire.ts";
import type { AgentEvent } from "./index.ts";
import { least, pairs, streamed, translated } from "./translation.testkit.ts";

const head = { id: "chatcmpl-ID1", created: 1_700_000_000, model: "mine" };
const chatUsage = {
  prompt_tokens: 50,
  completion_tokens: 12,
  total_tokens: 62,
  prompt_tokens_details: { cached_tokens: 20 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const responsesUsage = {
  input_tokens: 50,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 62,
};
const messagesUsage = { input_tokens: 30, cache_read_input_tokens: 20, cache_creation_input_tokens: 0, output_tokens: 12 };
const geminiUsage = {
  promptTokenCount: 50,
  cachedContentTokenCount: 20,
  candidatesTokenCount: 12,
  thoughtsTokenCount: 0,
  totalTokenCount: 62,
};

const textItem = (id: string): Json => ({
  type: "message",
  id,
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "I look.", annotations: [], logprobs: [] }],
});
const callItem = (id: string): Json => ({
  type: "function_call",
  id,
  call_id: "call_a",
  name: "read",
  status: "completed",
  arguments: '{"path":"a"}',
});
const response = (status: string, output: readonly Json[], usage?: Json): Json => ({
  id: "resp_ID1",
  object: "response",
  created_at: 1_700_000_000,
  status,
  model: "mine",
  output,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  tool_choice: "auto",
  tools: [],
  ...(usage && { usage }),
});

/** One answer, words and a tool call, as each format has it; ids and the model as the agent gets them. */
const whole: Record<Protocol, Json> = {
  chat: {
    ...head,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "I look.",
          refusal: null,
          tool_calls: [{ id: "call_a", type: "function", function: { name: "read", arguments: '{"path":"a"}' } }],
        },
        logprobs: null,
        finish_reason: "tool_calls",
      },
    ],
    usage: chatUsage,
  },
  responses: response("completed", [textItem("msg_ID1_0"), callItem("fc_ID1_1")], responsesUsage),
  messages: {
    id: "msg_ID1",
    type: "message",
    role: "assistant",
    model: "mine",
    content: [
      { type: "text", text: "I look." },
      { type: "tool_use", id: "call_a", name: "read", input: { path: "a" } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: messagesUsage,
  },
  gemini: {
    candidates: [
      {
        content: { role: "model", parts: [{ text: "I look." }, { functionCall: { id: "call_a", name: "read", args: { path: "a" } } }] },
        finishReason: "STOP",
        index: 0,
      },
    ],
    usageMetadata: geminiUsage,
    modelVersion: "mine",
    responseId: "ID1",
  },
};

const chunk = (more: Json): AgentEvent => ({ data: { ...head, object: "chat.completion.chunk", ...more } });
const delta = (said: Json, finish_reason: string | null = null): AgentEvent =>
  chunk({ choices: [{ index: 0, delta: said, finish_reason }] });
const typed = (type: string, more: Json): AgentEvent => ({ event: type, data: { type, ...more } });
const numbered = (...events: readonly AgentEvent[]): AgentEvent[] =>
  events.map(({ event, data }, sequence_number) => ({ event, data: { ...(data as Json), sequence_number } }));
const geminiChunk = (parts: readonly Json[], more: Json = {}, usage: Json = {}): AgentEvent => ({
  data: { candidates: [{ content: { role: "model", parts }, ...more, index: 0 }], ...usage, modelVersion: "mine", responseId: "ID1" },
});
const messagesUsageAtFirst = { input_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0, output_tokens: 1 };

/** The same as a stream: the text in two pieces, the arguments in one. */
const stream: Record<Protocol, AgentEvent[]> = {
  chat: [
    delta({ role: "assistant", content: "" }),
    delta({ content: "I " }),
    delta({ content: "look." }),
    delta({ tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "read", arguments: "" } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{"path":"a"}' } }] }),
    delta({}, "tool_calls"),
    chunk({ choices: [], usage: chatUsage }),
    { data: "[DONE]" },
  ],
  responses: numbered(
    typed("response.created", { response: response("in_progress", []) }),
    typed("response.in_progress", { response: response("in_progress", []) }),
    typed("response.output_item.added", { output_index: 0, item: { ...textItem("msg_ID1_0"), status: "in_progress", content: [] } }),
    typed("response.content_part.added", {
      item_id: "msg_ID1_0",
      output_index: 0,
      content_index: 0,
      part: { type: "output_text", text: "", annotations: [], logprobs: [] },
    }),
    typed("response.output_text.delta", { item_id: "msg_ID1_0", output_index: 0, content_index: 0, delta: "I " }),
    typed("response.output_text.delta", { item_id: "msg_ID1_0", output_index: 0, content_index: 0, delta: "look." }),
    typed("response.output_text.done", { item_id: "msg_ID1_0", output_index: 0, content_index: 0, text: "I look." }),
    typed("response.content_part.done", {
      item_id: "msg_ID1_0",
      output_index: 0,
      content_index: 0,
      part: { type: "output_text", text: "I look.", annotations: [], logprobs: [] },
    }),
    typed("response.output_item.done", { output_index: 0, item: textItem("msg_ID1_0") }),
    typed("response.output_item.added", { output_index: 1, item: { ...callItem("fc_ID1_1"), status: "in_progress", arguments: "" } }),
    typed("response.function_call_arguments.delta", { item_id: "fc_ID1_1", output_index: 1, delta: '{"path":"a"}' }),
    typed("response.function_call_arguments.done", { item_id: "fc_ID1_1", output_index: 1, name: "read", arguments: '{"path":"a"}' }),
    typed("response.output_item.done", { output_index: 1, item: callItem("fc_ID1_1") }),
    typed("response.completed", { response: response("completed", [textItem("msg_ID1_0"), callItem("fc_ID1_1")], responsesUsage) }),
  ),
  messages: [
    typed("message_start", {
      message: {
        id: "msg_ID1",
        type: "message",
        role: "assistant",
        model: "mine",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: messagesUsageAtFirst,
      },
    }),
    typed("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    typed("content_block_delta", { index: 0, delta: { type: "text_delta", text: "I " } }),
    typed("content_block_delta", { index: 0, delta: { type: "text_delta", text: "look." } }),
    typed("content_block_stop", { index: 0 }),
    typed("content_block_start", { index: 1, content_block: { type: "tool_use", id: "call_a", name: "read", input: {} } }),
    typed("content_block_delta", { index: 1, delta: { type: "input_json_delta", partial_json: '{"path":"a"}' } }),
    typed("content_block_stop", { index: 1 }),
    typed("message_delta", { delta: { stop_reason: "tool_use", stop_sequence: null }, usage: messagesUsage }),
    typed("message_stop", {}),
  ],
  gemini: [
    geminiChunk([{ text: "I " }]),
    geminiChunk([{ text: "look." }]),
    geminiChunk([{ functionCall: { id: "call_a", name: "read", args: { path: "a" } } }]),
    geminiChunk([], { finishReason: "STOP" }, { usageMetadata: geminiUsage }),
  ],
};

/** Gemini's chat-like chunks know no end of a call before the end of all. */
const asFrom = (upstream: Protocol, agent: Protocol): AgentEvent[] => {
  if (agent !== "gemini" || upstream !== "chat") return stream[agent];
  const call = [{ functionCall: { id: "call_a", name: "read", args: { path: "a" } } }];
  return [...stream.gemini.slice(0, 2), geminiChunk(call, { finishReason: "STOP" }, { usageMetadata: geminiUsage })];
};

const request = (agent: Protocol): Json =>
  least(agent, agent === "gemini" ? {} : { stream: true, ...(agent === "chat" && { stream_options: { include_usage: true } }) });

describe.each(pairs)("an agent that speaks %s, at an upstream that speaks %s", (agent, upstream) => {
  test("gets the answer in its own words", () => {
    const { answers } = translated(agent, upstream, least(agent));
    expect(answers.answer(whole[upstream])).toEqual({ status: 200, body: whole[agent] });
  });

  test("gets each piece of a stream as soon as it comes, and nothing after its end", () => {
    const { answers } = translated(agent, upstream, request(agent), { path: { model: "mine", stream: true } });
    const events = streamed(
      answers,
      stream[upstream].map(({ data }) => data),
    );
    expect(events).toEqual(asFrom(upstream, agent));
  });

  test("of a stream that was cut gets no end", () => {
    const { answers } = translated(agent, upstream, request(agent), { path: { model: "mine", stream: true } });
    const heard = streamed(
      answers,
      stream[upstream]
        .slice(0, 4)
        .filter(({ data }) => !JSON.stringify(data).includes("finishReason"))
        .map(({ data }) => data),
    );
    expect(JSON.stringify(heard)).not.toMatch(/\[DONE\]|response\.completed|message_stop|finishReason|"finish_reason":"/);
  });
});
