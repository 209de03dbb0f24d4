import { countTokens } from "../tokens.ts";
import { argumentsOf, type ScriptedUsage, type ToolCallOut } from "./dialect.ts";
import type { ScriptedAnswer, ScriptedRequest } from "./script.ts";

/** One streamed piece. */
export interface Piece {
  /** What it says: part of the text (`call` absent), or of a tool call's name and arguments. */
  says: string;
  /** Place of the tool call in the answer. */
  call?: number;
  /** The first piece of its tool call: its name, or all of it. */
  isHead?: boolean;
}

/** Output tokens of these pieces: the text counted as one, and each tool call as one. */
export function tokensOf(pieces: readonly Piece[]): number {
  const parts = new Map<number, string>();
  for (const { call = -1, says } of pieces) parts.set(call, (parts.get(call) ?? "") + says);
  return [...parts.values()].reduce((sum, part) => sum + countTokens(part), 0);
}

export const toolCallsOf = (answer: ScriptedAnswer, callNumber: number): ToolCallOut[] =>
  (answer.toolCalls ?? []).map((call, i) => ({
    id: call.id ?? `call_scripted_${callNumber}_${i}`,
    name: call.name,
    arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }));

/** Cuts an answer into pieces: the text by words, each tool call into its name and two halves of its arguments. */
export function piecesOf(answer: ScriptedAnswer, calls: readonly ToolCallOut[], wholeCalls: boolean): Piece[] {
  const pieces: Piece[] = [];
  const size = answer.wordsPerChunk ?? 1;
  const words = (answer.text ?? "").match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? [];
  for (let i = 0; i < words.length; i += size) pieces.push({ says: words.slice(i, i + size).join("") });
  calls.forEach((toolCall, call) => {
    if (wholeCalls) return pieces.push({ says: toolCall.name + JSON.stringify(argumentsOf(toolCall)), call, isHead: true });
    const { name, arguments: text } = toolCall;
    const half = Math.ceil(text.length / 2);
    pieces.push({ says: name, call, isHead: true });
    for (const says of [text.slice(0, half), text.slice(half)]) if (says !== "") pieces.push({ says, call });
  });
  return pieces;
}

/** What the answer will be said to have cost; counted where the script does not say. */
export function usageOf(answer: ScriptedAnswer, request: ScriptedRequest, pieces: readonly Piece[]): ScriptedUsage {
  const told = answer.usage === "none" ? undefined : answer.usage;
  return {
    promptTokens: told?.promptTokens ?? countTokens(JSON.stringify(request.prompt)),
    cachedTokens: told?.cachedTokens ?? 0,
    // Only this format reports them.
    cacheWriteTokens: request.dialect === "messages" ? (told?.cacheWriteTokens ?? 0) : 0,
    completionTokens: told?.completionTokens ?? tokensOf(pieces),
  };
}
