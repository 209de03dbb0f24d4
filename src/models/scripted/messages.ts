import { argumentsOf, objects, stringOf, textOf, type Dialect, type Frame, type Json, type Reply, type ScriptedUsage } from "./dialect.ts";

/** Anthropic messages. */
export const messages: Dialect = {
  name: "messages",
  wholeCalls: false,
  read(body) {
    const read = [];
    const system = textOf(body.system);
    if (system !== "") read.push({ role: "system", content: system, toolCalls: 0 });
    for (const message of objects(body.messages)) {
      const blocks = typeof message.content === "string" ? [{ type: "text", text: message.content }] : objects(message.content);
      const of = (type: string): Json[] => blocks.filter((block: Json) => block.type === type);
      for (const result of of("tool_result")) read.push({ role: "tool", content: textOf(result.content), toolCalls: 0 });
      const text = textOf(of("text"));
      if (message.role === "assistant" || text !== "")
        read.push({ role: stringOf(message.role), content: text, toolCalls: of("tool_use").length });
    }
    return {
      model: stringOf(body.model),
      messages: read,
      turn: read.filter((m) => m.role === "assistant").length,
      toolResults: read.filter((m) => m.role === "tool").length,
      tools: objects(body.tools).map((tool) => stringOf(tool.name)),
      prompt: [body.system ?? "", body.messages, body.tools ?? []],
    };
  },
  isStream: (body) => body.stream === true,
  reportsUsage: () => true,
  whole: (reply) => ({
    ...headOf(reply),
    content: [
      ...(reply.text === undefined || reply.text === "" ? [] : [{ type: "text", text: reply.text }]),
      ...reply.calls.map((call) => ({ type: "tool_use", id: call.id, name: call.name, input: argumentsOf(call) })),
    ],
    stop_reason: stopOf(reply.finish),
    stop_sequence: null,
    ...(reply.usage && { usage: { ...inputJson(reply.usage), output_tokens: reply.usage.completionTokens } }),
  }),
  stream(reply) {
    let block = -1;
    let openFor: number | undefined;
    const frame = (type: string, more: Json): Frame => ({ event: type, data: { type, ...more } });
    const stop = (): Frame[] => (block < 0 ? [] : [frame("content_block_stop", { index: block })]);
    const start = (call: number | undefined): Frame[] => {
      if (block >= 0 && openFor === call) return [];
      const frames = stop();
      block += 1;
      openFor = call;
      const toolCall = call === undefined ? undefined : reply.calls[call];
      const opened = toolCall ? { type: "tool_use", id: toolCall.id, name: toolCall.name, input: {} } : { type: "text", text: "" };
      return [...frames, frame("content_block_start", { index: block, content_block: opened })];
    };
    return {
      tellsInput: "first",
      open: () => {
        const usage = reply.usage && { usage: { ...inputJson(reply.usage), output_tokens: 1 } };
        const message = { ...headOf(reply), content: [], stop_reason: null, stop_sequence: null, ...usage };
        return [frame("message_start", { message }), frame("ping", {})];
      },
      piece({ says, call, isHead }) {
        const frames = start(call);
        const delta = call === undefined ? { type: "text_delta", text: says } : { type: "input_json_delta", partial_json: says };
        return isHead ? frames : [...frames, frame("content_block_delta", { index: block, delta })];
      },
      close: () => [
        ...stop(),
        frame("message_delta", {
          delta: { stop_reason: stopOf(reply.finish), stop_sequence: null },
          ...(reply.usage && { usage: { output_tokens: reply.usage.completionTokens } }),
        }),
        frame("message_stop", {}),
      ],
      last: "",
    };
  },
  error: (status, message) => ({
    type: "error",
    error: { type: errorTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error"), message },
  }),
};

const errorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

const stops: Readonly<Record<string, string>> = {
  stop: "end_turn",
  tool_calls: "tool_use",
  length: "max_tokens",
  content_filter: "refusal",
};
const stopOf = (finish: string): string => stops[finish] ?? finish;

const headOf = ({ n, request }: Reply): Json => ({ id: `msg_scripted_${n}`, type: "message", role: "assistant", model: request.model });

/** Its `input_tokens` are those that were neither read from the cache nor written to it. */
const inputJson = (u: ScriptedUsage): Json => ({
  input_tokens: Math.max(0, u.promptTokens - u.cachedTokens - u.cacheWriteTokens),
  cache_read_input_tokens: u.cachedTokens,
  cache_creation_input_tokens: u.cacheWriteTokens,
});
