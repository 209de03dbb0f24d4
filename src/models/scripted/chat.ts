import { objects, stringOf, textOf, type Dialect, type Frame, type Json, type Reply, type ScriptedUsage } from "./dialect.ts";

/** OpenAI chat completions. */
export const chat: Dialect = {
  name: "chat",
  wholeCalls: false,
  read(body) {
    const messages = objects(body.messages).map((m) => ({
      role: m.role === "developer" ? "system" : String(m.role),
      content: textOf(m.content),
      toolCalls: objects(m.tool_calls).length,
    }));
    return {
      model: stringOf(body.model),
      messages,
      turn: messages.filter((m) => m.role === "assistant").length,
      toolResults: messages.filter((m) => m.role === "tool").length,
      tools: objects(body.tools).map((tool) => stringOf((tool.function as Json | undefined)?.name)),
      prompt: [body.messages, body.tools ?? []],
    };
  },
  isStream: (body) => body.stream === true,
  reportsUsage: (body) => body.stream !== true || (body.stream_options as Json | undefined)?.include_usage === true,
  whole(reply) {
    const message = {
      role: "assistant",
      content: reply.text ?? null,
      ...(reply.calls.length > 0 && { tool_calls: reply.calls.map(({ id, ...fn }) => ({ id, type: "function", function: fn })) }),
    };
    return {
      ...headOf(reply),
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: reply.finish }],
      ...(reply.usage && { usage: usageJson(reply.usage) }),
    };
  },
  stream(reply) {
    const chunk = (more: Json): Frame => ({ data: { ...headOf(reply), object: "chat.completion.chunk", ...more } });
    const delta = (d: Json, reason: string | null = null): Frame => chunk({ choices: [{ index: 0, delta: d, finish_reason: reason }] });
    const asked = chat.reportsUsage(reply.request.body);
    return {
      tellsInput: "at its end",
      open: () => [delta({ role: "assistant", content: "" })],
      piece({ says, call, isHead }) {
        if (call === undefined) return [delta({ content: says })];
        const fn = { name: says, arguments: "" };
        const part = isHead ? { id: reply.calls[call]?.id, type: "function", function: fn } : { function: { arguments: says } };
        return [delta({ tool_calls: [{ index: call, ...part }] })];
      },
      close: () => [delta({}, reply.finish), ...(asked && reply.usage ? [chunk({ choices: [], usage: usageJson(reply.usage) })] : [])],
      last: "data: [DONE]\n\n",
    };
  },
  error: (_, message) => ({ error: { message, type: "scripted_error", code: null, param: null } }),
};

const headOf = ({ n, request }: Reply): Json => ({
  id: `chatcmpl-scripted-${n}`,
  created: 0,
  model: request.model,
  system_fingerprint: "scripted",
});

const usageJson = (u: ScriptedUsage): Json => ({
  prompt_tokens: u.promptTokens,
  completion_tokens: u.completionTokens,
  total_tokens: u.promptTokens + u.completionTokens,
  prompt_tokens_details: { cached_tokens: u.cachedTokens },
});
