import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../wire/wire.ts";
import { translation } from "./index.ts";
import { least, options, pairs, translated } from "./translation.testkit.ts";

/** Fields and words of the four formats, put together in any way. */
const field = fc.constantFrom(
  "type", "role", "content", "text", "id", "call_id", "name", "input", "output", "parts", "functionCall", "functionResponse", "response", "args",
  "tool_calls", "function", "arguments", "delta", "message", "choices", "index", "output_index", "item", "usage", "candidates", "finishReason", "finish_reason",
  "content_block", "error", "source", "image_url", "url", "tools", "tool_choice", "functionDeclarations", "parameters", "custom", "inlineData", "data",
); // prettier-ignore
const value = fc.oneof(
  fc.constantFrom(
    "user", "assistant", "system", "model", "tool", "text", "image_url", "function", "tool_use", "tool_result", "input_text", "message", "function_call",
    "function_call_output", "content_block_start", "content_block_delta", "response.output_item.added", "response.completed", "STOP", "data:,x", "custom", "image",
  ), // prettier-ignore
  fc.string({ maxLength: 5 }),
  fc.integer({ min: -1, max: 3 }),
  fc.boolean(),
  fc.constant(null),
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    value,
    fc.array(tie("anything"), { maxLength: 3 }),
    fc.dictionary(field, tie("anything"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const object = fc.dictionary(field, anything, { maxKeys: 5, noNullPrototype: true }) as fc.Arbitrary<Json>;

test("whatever an agent sends is translated or refused with a sentence", () => {
  fc.assert(
    fc.property(fc.constantFrom(...pairs), object, fc.array(object, { maxLength: 3 }), ([from, to], more, conversation) => {
      const body = { ...least(from), ...more, messages: conversation, contents: conversation, input: conversation };
      const made = translation(from, to)?.request(body, options());
      if (!made?.ok) expect(made?.message).toMatch(/\.$/);
      else expect(() => JSON.stringify(made.body)).not.toThrow();
    }),
    { numRuns: 400 },
  );
});

test("whatever an upstream sends, a stream and an answer go on or end in the agent's format", () => {
  fc.assert(
    fc.property(fc.constantFrom(...pairs), fc.array(object, { maxLength: 6 }), ([agent, upstream], events) => {
      const { answers } = translated(agent, upstream, least(agent));
      const stream = answers.stream();
      const heard = [...events.flatMap((event) => stream.push(event)), ...stream.end()];
      expect(heard.every(({ data }) => data === "[DONE]" || typeof data === "object")).toBe(true);
      for (const event of events) expect([200, 502]).toContain(answers.answer(event).status);
    }),
    { numRuns: 400 },
  );
});
