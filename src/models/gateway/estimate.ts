import { createHash } from "node:crypto";
import { countTokens } from "../tokens.ts";

/** Taken for an image in a message, instead of the length of its base64: above what the large vendors charge for one (at most about 1,600). */
const tokensPerImage = 2_000;

/** What the wire format itself adds: OpenAI counts 3 for each message and 3 for the answer's start. */
const tokensPerMessage = 4;

/**
 * Estimates the input tokens of a request. Agents send the whole conversation with every call, so counts are kept per message, by its hash,
 * and only what is new is counted.
 */
export class InputEstimate {
  readonly #known = new Map<string, number>();
  readonly #most: number;

  constructor(most = 20_000) {
    this.#most = most;
  }

  of(body: Readonly<Record<string, unknown>>): number {
    let tokens = tokensPerMessage;
    if (Array.isArray(body.messages)) for (const message of body.messages) tokens += tokensPerMessage + this.#count(message);
    for (const more of [body.tools, body.functions, body.response_format]) if (more !== undefined) tokens += this.#count(more);
    return tokens;
  }

  #count(value: unknown): number {
    let images = 0;
    const text =
      JSON.stringify(value, (key, inner: unknown) => {
        if (key !== "url" || typeof inner !== "string" || !inner.startsWith("data:")) return inner;
        images += 1;
        return "";
      }) ?? "";
    const id = createHash("sha1").update(text).digest("base64url");
    const known = this.#known.get(id);
    // Taken out and put back, so that the first key of the map is the one unused for longest.
    if (known !== undefined) this.#known.delete(id);
    const tokens = known ?? countTokens(text);
    this.#known.set(id, tokens);
    if (this.#known.size > this.#most) this.#known.delete(this.#known.keys().next().value ?? "");
    return tokens + images * tokensPerImage;
  }
}
