import { argumentsOf, objects, stringOf, textOf, type Dialect, type Json, type Reply } from "./dialect.ts";
import { tokensOf } from "./pieces.ts";

/** Gemini's generateContent. Its tool calls come whole, and every chunk carries a running usage. */
export const gemini: Dialect = {
  name: "gemini",
  wholeCalls: true,
  read(body, model) {
    const messages = [];
    const system = textOf((body.systemInstruction as Json | undefined)?.parts);
    if (system !== "") messages.push({ role: "system", content: system, toolCalls: 0 });
    for (const content of objects(body.contents)) {
      const parts = objects(content.parts);
      const role = content.role === "model" ? "assistant" : "user";
      for (const { functionResponse } of parts as { functionResponse?: Json }[])
        if (functionResponse) messages.push({ role: "tool", content: JSON.stringify(functionResponse.response ?? {}), toolCalls: 0 });
      const text = textOf(parts);
      if (role === "assistant" || text !== "")
        messages.push({ role, content: text, toolCalls: parts.filter((part) => part.functionCall !== undefined).length });
    }
    return {
      model,
      messages,
      turn: messages.filter((m) => m.role === "assistant").length,
      toolResults: messages.filter((m) => m.role === "tool").length,
      tools: objects(body.tools).flatMap((tool) => objects(tool.functionDeclarations).map((fn) => stringOf(fn.name))),
      prompt: [body.systemInstruction ?? "", body.contents, body.tools ?? []],
    };
  },
  // The path says it.
  isStream: () => false,
  reportsUsage: () => true,
  whole: (reply) =>
    chunk(
      reply,
      [
        ...(reply.text === undefined || reply.text === "" ? [] : [{ text: reply.text }]),
        ...reply.calls.map((_, call) => callPart(reply, call)),
      ],
      reply.usage?.completionTokens,
      finishOf(reply.finish),
    ),
  stream(reply) {
    return {
      tellsInput: "every piece",
      open: () => [],
      piece: (piece, sent) => {
        const part = piece.call === undefined ? { text: piece.says } : callPart(reply, piece.call);
        return [{ data: chunk(reply, [part], tokensOf([...sent, piece])) }];
      },
      close: () => [{ data: chunk(reply, [{ text: "" }], reply.usage?.completionTokens, finishOf(reply.finish)) }],
      last: "",
    };
  },
  error: (status, message) => ({
    error: { code: status, message, status: statuses[status] ?? (status < 500 ? "INVALID_ARGUMENT" : "INTERNAL") },
  }),
};

const statuses: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

const finishes: Readonly<Record<string, string>> = { stop: "STOP", tool_calls: "STOP", length: "MAX_TOKENS", content_filter: "SAFETY" };
const finishOf = (finish: string): string => finishes[finish] ?? finish;

function callPart(reply: Reply, index: number): Json {
  const call = reply.calls[index];
  return call ? { functionCall: { id: call.id, name: call.name, args: argumentsOf(call) } } : {};
}

const chunk = (reply: Reply, parts: readonly Json[], outputTokens: number | undefined, finishReason?: string): Json => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...(finishReason !== undefined && { finishReason }) }],
  ...(reply.usage && {
    usageMetadata: {
      promptTokenCount: reply.usage.promptTokens,
      cachedContentTokenCount: reply.usage.cachedTokens,
      candidatesTokenCount: outputTokens ?? 0,
      totalTokenCount: reply.usage.promptTokens + (outputTokens ?? 0),
    },
  }),
  modelVersion: reply.request.model,
  responseId: `scripted-${reply.n}`,
});
