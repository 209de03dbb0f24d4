import { countOf, isCount, isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import type { AnswerReader, End, Piece } from "../answer.ts";

const ends: Readonly<Record<string, End>> = {
  end_turn: "stop",
  tool_use: "calls",
  stop_sequence: "stop-sequence",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refused",
};

/** Anthropic messages. */
export class MessagesAnswerReader implements AnswerReader {
  readonly #callAt = new Map<unknown, number>();
  #calls = 0;
  #usage: Json = {};

  whole(answer: Json): Piece[] {
    if (answer.type === "error") return [{ kind: "failed", message: problemOf(answer.error) }];
    return [
      ...objects(answer.content).flatMap((block, i) => [...this.#begin(i, block), ...this.#close(i)]),
      ...this.#figures(answer.usage),
      ...endOf(answer),
    ];
  }

  event(event: Json): Piece[] {
    switch (event.type) {
      case "message_start":
        return this.#figures(objectOf(event.message).usage);
      case "content_block_start":
        return this.#begin(event.index, objectOf(event.content_block));
      case "content_block_delta":
        return this.#delta(event.index, objectOf(event.delta));
      case "content_block_stop":
        return this.#close(event.index);
      case "message_delta":
        return [...this.#figures(event.usage), ...endOf(objectOf(event.delta))];
      case "message_stop":
        return [{ kind: "over" }];
      case "error":
        return [{ kind: "failed", message: problemOf(event.error) }];
      default:
        return [];
    }
  }

  #begin(index: unknown, block: Json): Piece[] {
    switch (block.type) {
      case "text":
        return saying("text", block.text);
      case "thinking":
        return saying("thinking", block.thinking);
      case "tool_use": {
        const at = this.#calls;
        this.#calls += 1;
        this.#callAt.set(index, at);
        const call: Piece = { kind: "call", at, id: textIn(block.id), name: textIn(block.name) };
        const isWhole = isObject(block.input) && Object.keys(block.input).length > 0;
        return isWhole ? [call, { kind: "args", at, text: JSON.stringify(block.input) }] : [call];
      }
      default:
        // Redacted thinking, and what the provider's own tools say: no other format has a word for it.
        return [];
    }
  }

  #delta(index: unknown, delta: Json): Piece[] {
    if (delta.type === "text_delta") return saying("text", delta.text);
    if (delta.type === "thinking_delta") return saying("thinking", delta.thinking);
    const at = this.#callAt.get(index);
    const text = textIn(delta.partial_json);
    return at === undefined || text === "" ? [] : [{ kind: "args", at, text }];
  }

  #close(index: unknown): Piece[] {
    const at = this.#callAt.get(index);
    return at === undefined ? [] : [{ kind: "call-end", at }];
  }

  /** Fields come one by one: a null or a missing one leaves what was told before. `input_tokens` are those the cache had no part in. */
  #figures(usage: unknown): Piece[] {
    const told = Object.entries(objectOf(usage)).filter(([, value]) => value !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) };
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = this.#usage;
    if (!isCount(input_tokens)) return [];
    const [cached, cacheWrite] = [countOf(cache_read_input_tokens), countOf(cache_creation_input_tokens)];
    const input = input_tokens + cached + cacheWrite;
    return [{ kind: "usage", usage: { input, cached, cacheWrite, output: countOf(output_tokens), thinking: 0 } }];
  }
}

const saying = (kind: "text" | "thinking", text: unknown): Piece[] => (textIn(text) === "" ? [] : [{ kind, text: textIn(text) }]);

const endOf = ({ stop_reason, stop_sequence }: Json): Piece[] =>
  typeof stop_reason === "string"
    ? [{ kind: "end", end: ends[stop_reason] ?? "stop", stopSequence: textIn(stop_sequence) || undefined }]
    : [];

const problemOf = (error: unknown): string => textIn(objectOf(error).message) || JSON.stringify(error ?? "failed");
