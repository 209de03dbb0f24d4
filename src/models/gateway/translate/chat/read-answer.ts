import { countOf, isCount, isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import type { AnswerReader, End, Piece } from "../answer.ts";

const ends: Readonly<Record<string, End>> = {
  stop: "stop",
  tool_calls: "calls",
  function_call: "calls",
  length: "length",
  content_filter: "refused",
};

interface OpenCall {
  at: number;
  id: string;
  name: string;
  isTold: boolean;
  held: string;
}

/** OpenAI chat completions. Some servers leave out the index of a tool call, its id, or give several one index. */
export class ChatAnswerReader implements AnswerReader {
  readonly #id: string;
  readonly #open = new Map<number, OpenCall>();
  #calls = 0;

  constructor(id: string) {
    this.#id = id;
  }

  whole(answer: Json): Piece[] {
    const choice = objects(answer.choices)[0];
    if (!choice) return [{ kind: "failed", message: problemOf(answer.error) ?? "answered without a choice" }];
    return [...this.#said(objectOf(choice.message)), ...this.#lateCalls(), ...usageOf(answer.usage), ...endOf(choice)];
  }

  event(chunk: Json): Piece[] {
    const problem = problemOf(chunk.error);
    if (problem !== undefined) return [{ kind: "failed", message: problem }];
    const choice = objects(chunk.choices).find(({ index }) => (index ?? 0) === 0);
    const end = choice ? endOf(choice) : [];
    const said = choice ? this.#said(objectOf(choice.delta ?? choice.message)) : [];
    return [...said, ...(end.length > 0 ? this.#lateCalls() : []), ...usageOf(chunk.usage), ...end];
  }

  #said(message: Json): Piece[] {
    const pieces: Piece[] = [];
    // Two names for the same thing; servers that send both send it twice.
    const thinking = textIn(message.reasoning_content) || textIn(message.reasoning);
    if (thinking !== "") pieces.push({ kind: "thinking", text: thinking });
    const text =
      typeof message.content === "string"
        ? message.content
        : objects(message.content)
            .map((part) => textIn(part.text))
            .join("");
    if (text !== "") pieces.push({ kind: "text", text });
    if (textIn(message.refusal) !== "") pieces.push({ kind: "refusal", text: textIn(message.refusal) });
    for (const [i, call] of objects(message.tool_calls).entries()) pieces.push(...this.#call(call, i));
    return pieces;
  }

  #call(call: Json, i: number): Piece[] {
    const index = isCount(call.index) ? call.index : i;
    const fn = objectOf(call.function);
    const id = textIn(call.id);
    let open = this.#open.get(index);
    const pieces: Piece[] = [];
    if (!open || (id !== "" && open.id !== id && (open.id !== "" || open.isTold))) {
      if (open?.isTold) pieces.push({ kind: "call-end", at: open.at });
      open = { at: this.#calls, id, name: "", isTold: false, held: "" };
      this.#open.set(index, open);
      this.#calls += 1;
    }
    if (!open.isTold) {
      open.id ||= id;
      open.name += textIn(fn.name);
    }
    const args = isObject(fn.arguments) ? JSON.stringify(fn.arguments) : textIn(fn.arguments);
    open.held += args;
    // A name that comes after its id, or in parts, is waited for until arguments come.
    if (!open.isTold && open.name !== "" && (open.id !== "" || open.held !== "")) pieces.push(this.#begin(open));
    if (open.isTold && open.held !== "") {
      pieces.push({ kind: "args", at: open.at, text: open.held });
      open.held = "";
    }
    return pieces;
  }

  #begin(open: OpenCall): Piece {
    open.isTold = true;
    return { kind: "call", at: open.at, id: open.id === "" ? `call_${this.#id}_${open.at}` : open.id, name: open.name };
  }

  /** Those whose beginning was still waited for. */
  #lateCalls(): Piece[] {
    return [...this.#open.values()].flatMap((open) => (open.isTold || open.name === "" ? [] : [this.#begin(open)]));
  }
}

const endOf = ({ finish_reason }: Json): Piece[] =>
  typeof finish_reason === "string" ? [{ kind: "end", end: ends[finish_reason] ?? "stop" }] : [];

const problemOf = (error: unknown): string | undefined =>
  isObject(error) ? textIn(error.message) || JSON.stringify(error) : typeof error === "string" ? error : undefined;

function usageOf(usage: unknown): Piece[] {
  const { prompt_tokens, prompt_tokens_details, completion_tokens, completion_tokens_details } = objectOf(usage);
  if (!isCount(prompt_tokens)) return [];
  return [
    {
      kind: "usage",
      usage: {
        input: prompt_tokens,
        cached: Math.min(prompt_tokens, countOf(objectOf(prompt_tokens_details).cached_tokens)),
        cacheWrite: 0,
        output: countOf(completion_tokens),
        thinking: countOf(objectOf(completion_tokens_details).reasoning_tokens),
      },
    },
  ];
}
