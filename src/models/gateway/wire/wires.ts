import type { Protocol } from "../contract.ts";
import { chat } from "./chat.ts";
import { gemini } from "./gemini.ts";
import { messages } from "./messages.ts";
import { responses } from "./responses.ts";
import type { Wire } from "./wire.ts";

export const wires: Readonly<Record<Protocol, Wire>> = { chat, responses, messages, gemini };

/** What a path asks for. */
export interface Target {
  wire: Wire;
  /** `count`: tokens of a request, asked ahead; nothing is made of it. */
  act: "answer" | "count";
  /** Model and streaming, where the path says them. */
  path?: { model: string; stream: boolean };
  /** Path below the upstream's base; `model` as the upstream calls it. */
  upstreamPath(model: string): string;
}

/** The call a path stands for; `undefined`: none. */
export function targetOf(path: string): Target | undefined {
  switch (path) {
    case "/v1/chat/completions":
      return { wire: chat, act: "answer", upstreamPath: () => "/chat/completions" };
    case "/v1/responses":
      return { wire: responses, act: "answer", upstreamPath: () => "/responses" };
    case "/v1/messages":
      return { wire: messages, act: "answer", upstreamPath: () => "/messages" };
    case "/v1/messages/count_tokens":
      return { wire: messages, act: "count", upstreamPath: () => "/messages/count_tokens" };
    default: {
      const [, escaped, method] = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/.exec(path) ?? [];
      if (escaped === undefined || method === undefined) return undefined;
      return {
        wire: gemini,
        act: method === "countTokens" ? "count" : "answer",
        path: { model: decoded(escaped), stream: method === "streamGenerateContent" },
        upstreamPath: (model) => `/models/${encodeURIComponent(model)}:${method}`,
      };
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
