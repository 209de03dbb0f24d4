import { hasToolCall, isStepCount, streamText, type ModelMessage, type ToolSet } from "ai";
import { classifyFailure } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import { listen, modelAt, type Heard, type ModelAccess } from "./listen.ts";
import { systemPrompt } from "./prompt.ts";
import { cut, type ChatMessage } from "./protocol.ts";
import { labelOf } from "./tools/toolset.ts";

export interface LoopOptions extends ModelAccess {
  prompt: string;
  tools: ToolSet;
  maxTurns: number;
  /** What `give_up` said, if it was called. */
  givenUp(): string | undefined;
  /** What people say meanwhile. */
  incoming: Incoming;
  send(message: ChatMessage): void;
}

export type LoopEnd = Extract<ChatMessage, { type: "done" | "failed" }>;

/**
 * Model, tools, model, ... until the model answers without a tool and nobody has said anything meanwhile. Sends everything on the way; answers
 * how it ended.
 */
export async function runLoop(options: LoopOptions): Promise<LoopEnd> {
  const { prompt, maxTurns, incoming, givenUp, send } = options;
  const at = { turn: 0, toolCalls: 0 };
  const messages: ModelMessage[] = [{ role: "user", content: prompt }];
  for (;;) {
    const { heard, said } = await converse(options, messages, at);
    const isInterrupted = incoming.isWaiting && at.turn < maxTurns && givenUp() === undefined && heard.reason !== "length";
    if (!isInterrupted || brokenEnd(heard)) return endOf(options, heard, at.toolCalls);
    messages.push(...(await said()), ...incoming.take(send));
  }
}

/** Until the model answers without a tool, or a person has said something that it is to be told. */
async function converse(
  options: LoopOptions,
  messages: readonly ModelMessage[],
  at: { turn: number; toolCalls: number },
): Promise<{ heard: Heard; said: () => PromiseLike<ModelMessage[]> }> {
  const { tools, maxTurns, incoming, send } = options;
  let said: () => PromiseLike<ModelMessage[]> = () => Promise.resolve([]);
  const open = () => {
    const answer = streamText({
      ...modelAt(options),
      instructions: systemPrompt,
      messages: [...messages],
      tools,
      stopWhen: [isStepCount(maxTurns - at.turn), hasToolCall("give_up"), () => incoming.isWaiting],
      // In the order the model gave: a test run after an edit must see the edit.
      toolCallConcurrency: 1,
    });
    said = () => answer.responseMessages;
    return answer.stream;
  };
  const heard = await listen(open, {
    send,
    turn: () => at.turn,
    more: (part) => {
      switch (part.type) {
        case "start-step":
          at.turn += 1;
          at.toolCalls = 0;
          break;
        case "tool-call":
          at.toolCalls += 1;
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
        default:
          break;
      }
    },
  });
  return { heard, said };
}

function endOf({ givenUp, maxTurns }: LoopOptions, heard: Heard, toolCalls: number): LoopEnd {
  const reason = givenUp();
  if (reason !== undefined) return failed("agent", `the model gave up: ${reason}`);
  const broken = brokenEnd(heard);
  if (broken) return broken;
  if (heard.reason === "length") return failed("agent", "the model's answer was cut at its output limit");
  if (toolCalls > 0) return failed("agent", `not done after ${maxTurns} turns`);
  return { type: "done", summary: cut(heard.text.trim()) };
}

/** An answer that is none. */
export function brokenEnd({ failure, reason }: Heard): LoopEnd | undefined {
  if (failure !== undefined) {
    const { because, message } = classifyFailure(failure);
    return failed(because, message);
  }
  if (reason === undefined || reason === "error") return failed("provider", "the model's answer ended in the middle");
  if (reason === "content-filter") return failed("agent", "the model refused to answer (content filter)");
  return undefined;
}

export const failed = (because: "agent" | "provider" | "budget", message: string): LoopEnd => ({
  type: "failed",
  because,
  message: cut(message),
});

const asText = (value: unknown): string =>
  typeof value === "string" ? value : value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
