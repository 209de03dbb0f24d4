import { countOf, isCount, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import type { AnswerReader, Piece } from "../answer.ts";

type Spoken = "text" | "refusal" | "thinking";

const deltas: Readonly<Record<string, Spoken>> = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.reasoning_summary_text.delta": "thinking",
  "response.reasoning_text.delta": "thinking",
};

/** OpenAI responses. */
export class ResponsesAnswerReader implements AnswerReader {
  /** By the place of their item in the output. */
  readonly #callAt = new Map<unknown, { at: number; saidArguments: boolean }>();
  readonly #heard = new Set<unknown>();
  #calls = 0;

  whole(answer: Json): Piece[] {
    return [...objects(answer.output).flatMap((item, i) => this.#item(i, item)), ...ending(answer)];
  }

  event(event: Json): Piece[] {
    const { type, output_index: index } = event;
    const kind = deltas[textIn(type)];
    if (kind !== undefined) {
      this.#heard.add(index);
      return saying(kind, event.delta);
    }
    switch (type) {
      case "response.output_item.added": {
        const item = objectOf(event.item);
        return item.type === "function_call" ? this.#begin(index, item) : [];
      }
      case "response.function_call_arguments.delta":
        return this.#arguments(index, event.delta);
      case "response.output_item.done":
        return this.#item(index, objectOf(event.item));
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return [...ending(objectOf(event.response)), { kind: "over" }];
      case "error":
        return [{ kind: "failed", message: textIn(event.message) || textIn(objectOf(event.error).message) || "failed" }];
      default:
        return [];
    }
  }

  /** A whole item; of one that was streamed, what was not said yet. */
  #item(index: unknown, item: Json): Piece[] {
    switch (item.type) {
      case "function_call": {
        const begun = this.#callAt.has(index) ? [] : this.#begin(index, item);
        const call = this.#callAt.get(index);
        const args = call?.saidArguments ? [] : this.#arguments(index, item.arguments);
        return [...begun, ...args, ...(call ? [{ kind: "call-end" as const, at: call.at }] : [])];
      }
      case "message":
        return this.#heard.has(index)
          ? []
          : objects(item.content).flatMap((part) =>
              part.type === "refusal" ? saying("refusal", part.refusal) : saying("text", part.text),
            );
      case "reasoning":
        return this.#heard.has(index)
          ? []
          : [...objects(item.summary), ...objects(item.content)].flatMap(({ text }) => saying("thinking", text));
      default:
        return [];
    }
  }

  #begin(index: unknown, item: Json): Piece[] {
    const at = this.#calls;
    this.#calls += 1;
    this.#callAt.set(index, { at, saidArguments: false });
    return [{ kind: "call", at, id: textIn(item.call_id), name: textIn(item.name) }];
  }

  #arguments(index: unknown, text: unknown): Piece[] {
    const call = this.#callAt.get(index);
    if (!call || textIn(text) === "") return [];
    call.saidArguments = true;
    return [{ kind: "args", at: call.at, text: textIn(text) }];
  }
}

const saying = (kind: Spoken, text: unknown): Piece[] => (textIn(text) === "" ? [] : [{ kind, text: textIn(text) }]);

function ending(response: Json): Piece[] {
  if (response.status === "failed" || response.status === "cancelled")
    return [{ kind: "failed", message: textIn(objectOf(response.error).message) || `the response is ${response.status}` }];
  const { reason } = objectOf(response.incomplete_details);
  const end = response.status !== "incomplete" ? "stop" : reason === "content_filter" ? "refused" : "length";
  return [...usageOf(response.usage), { kind: "end", end }];
}

function usageOf(usage: unknown): Piece[] {
  const { input_tokens, input_tokens_details, output_tokens, output_tokens_details } = objectOf(usage);
  if (!isCount(input_tokens)) return [];
  const cached = Math.min(input_tokens, countOf(objectOf(input_tokens_details).cached_tokens));
  const thinking = countOf(objectOf(output_tokens_details).reasoning_tokens);
  return [{ kind: "usage", usage: { input: input_tokens, cached, cacheWrite: 0, output: countOf(output_tokens), thinking } }];
}
