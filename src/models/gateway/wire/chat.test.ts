import { expect, test } from "vitest";
import { chat } from "./chat.ts";

const upstream = { provider: "scripted", model: "real" };
const messages = [{ role: "user", content: "hi" }];
const body = (asked: Record<string, unknown>, to = upstream): Record<string, unknown> | string => {
  const prepared = chat.prepare({ messages, ...asked }, { ...to, cap: 1_000, providerTools: "take-out" });
  return prepared.ok ? prepared.call.body : prepared.message;
};

test("output is capped, by the field the agent used or the one the provider knows", () => {
  expect(body({ max_tokens: 9_999 })).toMatchObject({ max_tokens: 1_000 });
  expect(body({ max_tokens: 7 })).toMatchObject({ max_tokens: 7 });
  expect(body({ max_completion_tokens: 9_999 })).toEqual({ messages, model: "real", max_completion_tokens: 1_000 });
  expect(body({})).toMatchObject({ max_tokens: 1_000 });
  expect(body({}, { ...upstream, provider: "openai" })).toEqual({ messages, model: "real", max_completion_tokens: 1_000 });
  const limits = { ...upstream, cap: 1_000, providerTools: "take-out" as const };
  const several = chat.prepare({ messages, n: 3, max_tokens: 50 }, limits);
  expect(several.ok && several.call.maxOutputTokens).toBe(150);
});

test("tools and everything else pass untouched; a dearer service tier does not", () => {
  const tools = [{ type: "function", function: { name: "x", parameters: { type: "object" } } }];
  expect(body({ tools, temperature: 0.3, tool_choice: "auto", service_tier: "priority" })).toEqual({
    messages, tools, temperature: 0.3, tool_choice: "auto", model: "real", max_tokens: 1_000,
  }); // prettier-ignore
  expect(body({ stream: true, stream_options: { x: 1 } })).toMatchObject({ stream_options: { x: 1, include_usage: true } });
});
