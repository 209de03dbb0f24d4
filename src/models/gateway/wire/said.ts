import { countTokens } from "../../tokens.ts";

/** What an answer has said so far, part by part: each text and each tool call is counted as one. */
export class Said {
  readonly #parts = new Map<string, string[]>();

  add(part: string, text: unknown): void {
    if (typeof text !== "string" || text === "") return;
    const texts = this.#parts.get(part);
    if (texts) texts.push(text);
    else this.#parts.set(part, [text]);
  }

  tokens(): number {
    let tokens = 0;
    for (const texts of this.#parts.values()) tokens += countTokens(texts.join(""));
    return tokens;
  }
}
