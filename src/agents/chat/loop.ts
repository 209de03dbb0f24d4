import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { hasToolCall, isStepCount, streamText, type ToolSet } from "ai";
import { classifyFailure } from "./failure.ts";
import { connectionLost, patientFetch } from "./patient-fetch.ts";
import { systemPrompt } from "./prompt.ts";
import { Paragraphs } from "./paragraphs.ts";
import { cut, type ChatMessage } from "./protocol.ts";
import { labelOf } from "./tools/toolset.ts";

export interface LoopOptions {
  gateway: { url: string; key: string; model: string };
  prompt: string;
  tools: ToolSet;
  maxTurns: number;
  maxRetries: number;
  /** How long a gateway that is not there is waited for. */
  reconnectMs: number;
  /** What `give_up` said, if it was called. */
  givenUp(): string | undefined;
  send(message: ChatMessage): void;
}

export type LoopEnd = Extract<ChatMessage, { type: "done" | "failed" }>;

/** Model, tools, model, ... until the model answers without a tool. Sends everything on the way; answers how it ended. */
export async function runLoop(options: LoopOptions): Promise<LoopEnd> {
  const { gateway, prompt, tools, maxTurns, maxRetries, send } = options;
  const provider = createOpenAICompatible({
    name: "gateway",
    baseURL: gateway.url,
    apiKey: gateway.key,
    includeUsage: true,
    fetch: patientFetch(options.reconnectMs),
  });
  let failure: unknown;
  let turn = 0;
  let text = "";
  let toolCalls = 0;
  let finish: { reason: string; text: string; toolCalls: number } | undefined;
  const paragraphs = new Paragraphs((paragraph) => send({ type: "text", text: paragraph }));
  try {
    const { stream } = streamText({
      model: provider(gateway.model),
      instructions: systemPrompt,
      prompt,
      tools,
      stopWhen: [isStepCount(maxTurns), hasToolCall("give_up")],
      // In the order the model gave: a test run after an edit must see the edit.
      toolCallConcurrency: 1,
      maxRetries,
      // Errors arrive as parts of the stream, too. A step whose connection broke is asked again: none of its tools has run yet.
      streamRetries: 0,
      onError: ({ error }) => (isConnectionLost(error) ? { retry: true } : undefined),
    });
    for await (const part of stream) {
      switch (part.type) {
        case "start-step":
          turn += 1;
          text = "";
          toolCalls = 0;
          break;
        // One an answer, and another where a broken one begins anew.
        case "text-start":
          text = "";
          break;
        case "text-delta":
          text += part.text;
          paragraphs.add(part.text);
          break;
        case "text-end":
          paragraphs.end();
          break;
        case "tool-call":
          toolCalls += 1;
          send({
            type: "tool",
            id: part.toolCallId,
            name: part.toolName,
            label: cut(labelOf(part.toolName, part.input), 200),
            input: cut(asText(part.input)),
          });
          break;
        case "tool-result":
          send({ type: "tool-result", id: part.toolCallId, name: part.toolName, output: cut(asText(part.output)) });
          break;
        case "tool-error":
          send({ type: "tool-result", id: part.toolCallId, name: part.toolName, output: cut(`Error: ${asText(part.error)}`) });
          break;
        case "finish-step": {
          const { inputTokens, outputTokens, inputTokenDetails } = part.usage;
          send({ type: "usage", turn, inputTokens, cachedInputTokens: inputTokenDetails.cacheReadTokens, outputTokens });
          finish = { reason: part.finishReason, text, toolCalls };
          break;
        }
        case "error":
          failure ??= part.error;
          break;
        default:
          break;
      }
    }
  } catch (error) {
    failure ??= error;
  }
  paragraphs.end();
  return endOf(options, failure, finish);
}

function endOf(
  { givenUp, maxTurns }: LoopOptions,
  failure: unknown,
  finish: { reason: string; text: string; toolCalls: number } | undefined,
): LoopEnd {
  const reason = givenUp();
  if (reason !== undefined) return failed("agent", `the model gave up: ${reason}`);
  if (failure !== undefined) {
    const { because, message } = classifyFailure(failure);
    return failed(because, message);
  }
  if (!finish || finish.reason === "error") return failed("provider", "the model's answer ended in the middle");
  if (finish.reason === "length") return failed("agent", "the model's answer was cut at its output limit");
  if (finish.reason === "content-filter") return failed("agent", "the model refused to answer (content filter)");
  if (finish.toolCalls > 0) return failed("agent", `not done after ${maxTurns} turns`);
  return { type: "done", summary: cut(finish.text.trim()) };
}

export function isConnectionLost(error: unknown): boolean {
  const said = JSON.stringify(error ?? null);
  // The gateway's word for a provider that broke off in the middle: it asks another one now, where the agent has any.
  return said.includes(connectionLost) || said.includes("stream_interrupted");
}

export const failed = (because: "agent" | "provider" | "budget", message: string): LoopEnd => ({
  type: "failed",
  because,
  message: cut(message),
});

const asText = (value: unknown): string =>
  typeof value === "string" ? value : value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
