import { createHash } from "node:crypto";
import { countTokens } from "../tokens.ts";

/** Taken for an image in a message, instead of the length of its base64: above what the large vendors charge for one (at most about 1,600). */
const tokensPerImage = 2_000;

/** What the wire format itself adds: OpenAI counts 3 for each message and 3 for the answer's start. */
const tokensPerMessage = 4;

/** Fields that hold a conversation, message by message, and those that hold other input, in the four wire formats. */
const conversations = ["messages", "input", "contents"] as const;
const others = ["tools", "functions", "response_format", "instructions", "text", "system", "output_config", "systemInstruction"] as const;

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
    for (const field of conversations) {
      const value = body[field];
      for (const message of Array.isArray(value) ? value : value === undefined ? [] : [value])
        tokens += tokensPerMessage + this.#count(message);
    }
    for (const field of others) if (body[field] !== undefined) tokens += this.#count(body[field]);
    const { responseSchema, responseJsonSchema } = (body.generationConfig ?? {}) as Readonly<Record<string, unknown>>;
    for (const schema of [responseSchema, responseJsonSchema]) if (schema !== undefined) tokens += this.#count(schema);
    return tokens;
  }

  #count(value: unknown): number {
    let images = 0;
    const text =
      JSON.stringify(value, function (this: unknown, key, inner: unknown) {
        if (typeof inner !== "string" || !isImage(this, key, inner)) return inner;
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

/** OpenAI has images as data URLs; Anthropic and Gemini as base64 beside their media type. Documents are counted by their length. */
function isImage(holder: unknown, key: string, text: string): boolean {
  if (key === "url" || key === "image_url") return text.startsWith("data:");
  if (key !== "data") return false;
  const { media_type, mimeType, mime_type } = holder as Readonly<Record<string, unknown>>;
  return [media_type, mimeType, mime_type].some((type) => typeof type === "string" && type.startsWith("image/"));
}
