import { isObject, objectOf, objects, type Json } from "./wire/wire.ts";

/** Events that open an answer and say nothing yet, of Anthropic's and OpenAI's formats. */
const openings = new Set(["message_start", "ping", "response.created", "response.queued", "response.in_progress"]);

/** How long they are kept back: some agents wait for a sign of life. */
export const preambleMs = 2_000;

/** A chunk that only opens an answer. Providers that are overloaded send such, and then an error or nothing. */
export function isPreamble(chunk: Json): boolean {
  if (typeof chunk.type === "string") return openings.has(chunk.type);
  // Gemini's chunks come with what they say.
  if (!Array.isArray(chunk.choices)) return false;
  return objects(chunk.choices).every(({ delta, finish_reason }) =>
    finish_reason === undefined || finish_reason === null ? isObject(delta) && saysNothing(delta) : false,
  );
}

const saysNothing = (delta: Json): boolean =>
  Object.entries(objectOf(delta)).every(
    ([field, value]) => field === "role" || value === null || value === "" || (Array.isArray(value) && value.length === 0),
  );
