import { countTokens } from "../tokens.ts";
import type { ScriptedAnswer, ScriptedRequest } from "./script.ts";

/** One streamed piece. */
export interface Piece {
  delta: Record<string, unknown>;
  /** What it says: part of the text (`call` absent), or of a tool call's name and arguments. */
  says: string;
  call?: number;
}

/** Output tokens of these pieces: the text counted as one, and each tool call as one. */
export function tokensOf(pieces: readonly Piece[]): number {
  const parts = new Map<number, string>();
  for (const { call = -1, says } of pieces) parts.set(call, (parts.get(call) ?? "") + says);
  return [...parts.values()].reduce((sum, part) => sum + countTokens(part), 0);
}

export interface ToolCallOut {
  id: string;
  name: string;
  arguments: string;
}

export const toolCallsOf = (answer: ScriptedAnswer, callNumber: number): ToolCallOut[] =>
  (answer.toolCalls ?? []).map((call, i) => ({
    id: call.id ?? `call_scripted_${callNumber}_${i}`,
    name: call.name,
    arguments: typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments ?? {}),
  }));

/** Cuts an answer into stream deltas: the text by words, each tool call into its head and two halves of its arguments. */
export function piecesOf(answer: ScriptedAnswer, calls: readonly ToolCallOut[]): Piece[] {
  const pieces: Piece[] = [];
  const size = answer.wordsPerChunk ?? 1;
  const words = (answer.text ?? "").match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? [];
  for (let i = 0; i < words.length; i += size) {
    const content = words.slice(i, i + size).join("");
    pieces.push({ delta: { content }, says: content });
  }
  calls.forEach((call, index) => {
    const head = { index, id: call.id, type: "function", function: { name: call.name, arguments: "" } };
    pieces.push({ delta: { tool_calls: [head] }, says: call.name, call: index });
    const half = Math.ceil(call.arguments.length / 2);
    for (const part of [call.arguments.slice(0, half), call.arguments.slice(half)]) {
      if (part !== "") pieces.push({ delta: { tool_calls: [{ index, function: { arguments: part } }] }, says: part, call: index });
    }
  });
  return pieces;
}

export interface ScriptedUsage {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

/** What the answer will be said to have cost; counted where the script does not say. */
export function usageOf(answer: ScriptedAnswer, request: ScriptedRequest, pieces: readonly Piece[]): ScriptedUsage {
  const told = answer.usage === "none" ? undefined : answer.usage;
  return {
    promptTokens: told?.promptTokens ?? countTokens(JSON.stringify([request.body.messages, request.body.tools ?? []])),
    cachedTokens: told?.cachedTokens ?? 0,
    completionTokens: told?.completionTokens ?? tokensOf(pieces),
  };
}

export const usageJson = (u: ScriptedUsage): Record<string, unknown> => ({
  prompt_tokens: u.promptTokens,
  completion_tokens: u.completionTokens,
  total_tokens: u.promptTokens + u.completionTokens,
  prompt_tokens_details: { cached_tokens: u.cachedTokens },
});
