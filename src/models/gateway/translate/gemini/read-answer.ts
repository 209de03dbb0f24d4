import { countOf, isCount, isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import type { AnswerReader, End, Piece } from "../answer.ts";
import type { Seals } from "../contract.ts";
import { camel } from "./camel.ts";

const ends: Readonly<Record<string, End>> = { STOP: "stop", FINISH_REASON_UNSPECIFIED: "stop", MAX_TOKENS: "length" };

/** Ends at which nothing was refused, and nothing of use was said. */
const broken = /^(?:MALFORMED_FUNCTION_CALL|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS|MALFORMED_RESPONSE|MISSING_THOUGHT_SIGNATURE|OTHER)$/;

/** Gemini's generateContent. A tool call comes whole, and without an id by older models. */
export class GeminiAnswerReader implements AnswerReader {
  readonly #id: string;
  readonly #seals: Seals | undefined;
  #calls = 0;

  constructor(id: string, seals: Seals | undefined) {
    this.#id = id;
    this.#seals = seals;
  }

  whole(answer: Json): Piece[] {
    return this.event(answer);
  }

  event(chunk: Json): Piece[] {
    if (isObject(chunk.error)) return [{ kind: "failed", message: textIn(chunk.error["message"]) || JSON.stringify(chunk.error) }];
    const { blockReason, blockReasonMessage } = objectOf(chunk.promptFeedback);
    const pieces: Piece[] = [];
    const candidate = objects(chunk.candidates).find(({ index }) => (index ?? 0) === 0);
    for (const part of objects(objectOf(candidate?.content).parts)) pieces.push(...this.#said(camel(part)));
    pieces.push(...usageOf(objectOf(chunk.usageMetadata)));
    if (typeof blockReason === "string") {
      pieces.push(
        { kind: "refusal", text: textIn(blockReasonMessage) || `The prompt was refused: ${blockReason}.` },
        { kind: "end", end: "refused" },
      );
    }
    const reason = candidate?.finishReason;
    if (typeof reason !== "string") return pieces;
    if (broken.test(reason))
      return [...pieces, { kind: "failed", message: textIn(candidate?.finishMessage) || `the answer ended with ${reason}` }];
    return [...pieces, { kind: "end", end: ends[reason] ?? "refused" }];
  }

  #said(part: Json): Piece[] {
    const seal = textIn(part.thoughtSignature) || undefined;
    const call = objectOf(part.functionCall);
    if (typeof call.name === "string") {
      const at = this.#calls;
      this.#calls += 1;
      const id = textIn(call.id) || `call_${this.#id}_${at}`;
      if (seal !== undefined) this.#seals?.set(id, seal);
      return [
        { kind: "call", at, id, name: call.name },
        { kind: "args", at, text: JSON.stringify(call.args ?? {}) },
        { kind: "call-end", at },
      ];
    }
    const text = textIn(part.text);
    return text === "" ? [] : [{ kind: part.thought === true ? "thinking" : "text", text }];
  }
}

function usageOf(usage: Json): Piece[] {
  const { promptTokenCount, cachedContentTokenCount, toolUsePromptTokenCount, candidatesTokenCount, thoughtsTokenCount } = usage;
  if (!isCount(promptTokenCount)) return [];
  const input = promptTokenCount + countOf(toolUsePromptTokenCount);
  const thinking = countOf(thoughtsTokenCount);
  const cached = Math.min(input, countOf(cachedContentTokenCount));
  return [{ kind: "usage", usage: { input, cached, cacheWrite: 0, output: countOf(candidatesTokenCount) + thinking, thinking } }];
}
