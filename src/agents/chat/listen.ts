import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModel, TextStreamPart, ToolSet } from "ai";
import { Paragraphs } from "./paragraphs.ts";
import { connectionLost, patientFetch } from "./patient-fetch.ts";
import type { ChatMessage } from "./protocol.ts";

export interface ModelAccess {
  gateway: { url: string; key: string; model: string };
  maxRetries: number;
  /** How long a gateway that is not there is waited for. */
  reconnectMs: number;
}

/** The attempt's model, and how a call of it that fails is made again. */
export function modelAt({ gateway, maxRetries, reconnectMs }: ModelAccess): {
  model: LanguageModel;
  maxRetries: number;
  streamRetries: number;
  onError: (event: { error: unknown }) => { retry: true } | undefined;
} {
  const provider = createOpenAICompatible({
    name: "gateway",
    baseURL: gateway.url,
    apiKey: gateway.key,
    includeUsage: true,
    fetch: patientFetch(reconnectMs),
  });
  return {
    model: provider(gateway.model),
    maxRetries,
    // Errors arrive as parts of the stream, too. A step whose connection broke is asked again: none of its tools has run yet.
    streamRetries: 0,
    onError: ({ error }) => (isConnectionLost(error) ? { retry: true } : undefined),
  };
}

function isConnectionLost(error: unknown): boolean {
  const said = JSON.stringify(error ?? null);
  // The gateway's word for a provider that broke off in the middle: it asks another one now, where the agent has any.
  return said.includes(connectionLost) || said.includes("stream_interrupted");
}

/** What the last answer was. `reason` is why it ended; absent when it did not. */
export interface Heard {
  text: string;
  reason: string | undefined;
  failure: unknown;
}

/** Passes on what a model says while it says it: its words by paragraphs, and its usage. `turn` is asked after `more` has seen a part. */
export async function listen<T extends ToolSet>(
  open: () => AsyncIterable<TextStreamPart<T>>,
  { send, turn, more }: { send: (message: ChatMessage) => void; turn: () => number; more?: (part: TextStreamPart<T>) => void },
): Promise<Heard> {
  const heard: Heard = { text: "", reason: undefined, failure: undefined };
  const paragraphs = new Paragraphs((text) => send({ type: "text", text }));
  try {
    for await (const part of open()) {
      more?.(part);
      switch (part.type) {
        // An answer whose connection broke begins anew.
        case "start-step":
        case "text-start":
          heard.text = "";
          break;
        case "text-delta":
          heard.text += part.text;
          paragraphs.add(part.text);
          break;
        case "text-end":
          paragraphs.end();
          break;
        case "finish-step": {
          const { inputTokens, outputTokens, inputTokenDetails } = part.usage;
          send({ type: "usage", turn: turn(), inputTokens, cachedInputTokens: inputTokenDetails.cacheReadTokens, outputTokens });
          heard.reason = part.finishReason;
          break;
        }
        case "error":
          heard.failure ??= part.error;
          break;
        default:
          break;
      }
    }
  } catch (error) {
    heard.failure ??= error;
  }
  paragraphs.end();
  return heard;
}
