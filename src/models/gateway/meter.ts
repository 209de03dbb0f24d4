import { countTokens } from "../tokens.ts";
import type { Tokens } from "./prices.ts";

type Json = Readonly<Record<string, unknown>>;

/** Reads what passes in one answer: the usage the upstream reports, and what was said, for the case that it reports none. */
export class Meter {
  /** As reported by the upstream. The last one counts: some send a running sum with every chunk. */
  reported: Tokens | undefined;
  /** The answer came to its own end. */
  finished = false;
  readonly #said = new Map<string, string[]>();

  /** Takes a stream chunk or a whole answer. */
  take(answer: Json): void {
    this.reported = readUsage(answer.usage) ?? this.reported;
    for (const choice of objects(answer.choices)) {
      if (typeof choice.finish_reason === "string") this.finished = true;
      const said = choice.delta ?? choice.message;
      if (typeof said === "object" && said !== null) this.#listen(indexOf(choice, 0), said as Json);
    }
  }

  /** Output tokens counted from what passed: each choice's text, reasoning and tool calls. */
  countOutput(): number {
    let tokens = 0;
    for (const parts of this.#said.values()) tokens += countTokens(parts.join(""));
    return tokens;
  }

  #listen(choice: string, said: Json): void {
    for (const field of ["content", "refusal"] as const) this.#add(`${choice} ${field}`, said[field]);
    // Two names for the same thing; servers that send both send it twice.
    this.#add(`${choice} reasoning`, said.reasoning_content ?? said.reasoning);
    for (const [i, call] of objects(said.tool_calls).entries()) {
      const fn = (typeof call.function === "object" && call.function !== null ? call.function : {}) as Json;
      for (const text of [fn.name, fn.arguments]) this.#add(`${choice} call ${indexOf(call, i)}`, text);
    }
  }

  #add(key: string, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    const parts = this.#said.get(key);
    if (parts) parts.push(text);
    else this.#said.set(key, [text]);
  }
}

function readUsage(usage: unknown): Tokens | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { prompt_tokens, completion_tokens, prompt_tokens_details } = usage as Json;
  if (!isCount(prompt_tokens) || !isCount(completion_tokens ?? 0)) return undefined;
  const cached = (prompt_tokens_details as { cached_tokens?: unknown } | null | undefined)?.cached_tokens;
  return {
    inputTokens: prompt_tokens,
    cachedInputTokens: isCount(cached) ? Math.min(cached, prompt_tokens) : 0,
    outputTokens: isCount(completion_tokens) ? completion_tokens : 0,
  };
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const objects = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((v): v is Json => typeof v === "object" && v !== null) : [];

const indexOf = (of: Json, otherwise: number): string => (typeof of.index === "number" ? String(of.index) : String(otherwise));
