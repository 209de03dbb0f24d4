import { expect, test } from "vitest";
import { InputEstimate } from "./estimate.ts";
import { prepare } from "./request.ts";

const upstream = { provider: "scripted", model: "real" };
const messages = [{ role: "user", content: "hi" }];
const body = (asked: Record<string, unknown>, to = upstream): Record<string, unknown> | string => {
  const prepared = prepare({ messages, ...asked }, to, 1_000);
  return prepared.ok ? prepared.call.body : prepared.message;
};

test("output is capped, by the field the agent used or the one the provider knows", () => {
  expect(body({ max_tokens: 9_999 })).toMatchObject({ max_tokens: 1_000 });
  expect(body({ max_tokens: 7 })).toMatchObject({ max_tokens: 7 });
  expect(body({ max_completion_tokens: 9_999 })).toEqual({ messages, model: "real", max_completion_tokens: 1_000 });
  expect(body({})).toMatchObject({ max_tokens: 1_000 });
  expect(body({}, { ...upstream, provider: "openai" })).toEqual({ messages, model: "real", max_completion_tokens: 1_000 });
  const several = prepare({ messages, n: 3, max_tokens: 50 }, upstream, 1_000);
  expect(several.ok && several.call.maxOutputTokens).toBe(150);
});

test("tools and everything else pass untouched; a dearer service tier does not", () => {
  const tools = [{ type: "function", function: { name: "x", parameters: { type: "object" } } }];
  expect(body({ tools, temperature: 0.3, tool_choice: "auto", service_tier: "priority" })).toEqual({
    messages, tools, temperature: 0.3, tool_choice: "auto", model: "real", max_tokens: 1_000,
  }); // prettier-ignore
  expect(body({ stream: true, stream_options: { x: 1 } })).toMatchObject({ stream_options: { x: 1, include_usage: true } });
});

test("input is estimated message by message; images do not count by their length", () => {
  const estimate = new InputEstimate(2);
  const long = { role: "user", content: "some words ".repeat(1_000) };
  const once = estimate.of({ messages: [long] });
  expect(once).toBeGreaterThan(2_000);
  expect(once).toBeLessThan(2_100);
  expect(estimate.of({ messages: [long, long] })).toBeGreaterThan(2 * once - 10);
  const url = `data:image/png;base64,${"A".repeat(400_000)}`;
  const image = { role: "user", content: [{ type: "image_url", image_url: { url } }] };
  expect(estimate.of({ messages: [image] })).toBeLessThan(2_100);
  expect(estimate.of({ messages: [{ role: "user", content: "<|endoftext|>" }] })).toBeGreaterThan(5);
  const start = performance.now();
  estimate.of({ messages: [{ role: "user", content: "a".repeat(200_000) }] });
  expect(performance.now() - start).toBeLessThan(2_000);
});
