import type { Protocol } from "../contract.ts";
import type { Json } from "../wire/wire.ts";
import { newSeals, translation, type AgentEvent, type Answers, type TranslateOptions } from "./index.ts";

/** What the tests of the translation share. */

export const protocols: readonly Protocol[] = ["chat", "responses", "messages", "gemini"];
export const pairs = protocols.flatMap((from) => protocols.filter((to) => to !== from).map((to) => [from, to] as const));

export const options = (more: Partial<TranslateOptions> = {}): TranslateOptions => ({
  model: "big",
  maxOutputTokens: 4_000,
  id: "ID1",
  at: 1_700_000_000_000,
  path: { model: "mine", stream: false },
  seals: newSeals(),
  ...more,
});

export function translated(
  from: Protocol,
  to: Protocol,
  body: Json,
  more: Partial<TranslateOptions> = {},
): { body: Json; lost: readonly string[]; answers: Answers } {
  const made = translation(from, to)?.request(body, options(more));
  if (!made?.ok) throw new TypeError(made?.message ?? "not to be translated");
  return made;
}

/** Why a request is refused. */
export function refusalOf(from: Protocol, to: Protocol, body: Json): string | undefined {
  const made = translation(from, to)?.request(body, options());
  return made && !made.ok ? made.message : undefined;
}

/** The least that each format asks. */
export const least = (protocol: Protocol, more: Json = {}): Json => {
  switch (protocol) {
    case "chat":
      return { model: "mine", messages: [{ role: "user", content: "hi" }], ...more };
    case "responses":
      return { model: "mine", input: "hi", ...more };
    case "messages":
      return { model: "mine", max_tokens: 100, messages: [{ role: "user", content: "hi" }], ...more };
    case "gemini":
      return { contents: [{ role: "user", parts: [{ text: "hi" }] }], ...more };
    default:
      return protocol satisfies never;
  }
};

/** All that an agent gets of a stream. */
export function streamed(answers: Answers, events: readonly (Json | "[DONE]")[]): AgentEvent[] {
  const stream = answers.stream();
  return [...events.flatMap((event) => (event === "[DONE]" ? stream.end() : stream.push(event))), ...stream.end()];
}
