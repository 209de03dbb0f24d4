import { expect, test } from "vitest";
import type { Protocol } from "../contract.ts";
import type { Limits } from "./wire.ts";
import { targetOf, wires } from "./wires.ts";

const limits: Limits = { provider: "acme", model: "real", cap: 2_000, path: { model: "asked", stream: false }, providerTools: "take-out" };
const own: Limits = { ...limits, model: undefined, providerTools: "keep" };

const least: Record<Protocol, Record<string, unknown>> = {
  chat: { messages: [{ role: "user", content: "hi" }] },
  responses: { input: "hi" },
  messages: { messages: [{ role: "user", content: "hi" }] },
  gemini: { contents: [{ parts: [{ text: "hi" }] }] },
};

const prepared = (protocol: Protocol, more: Record<string, unknown>, within = limits) => {
  const result = wires[protocol].prepare({ ...least[protocol], model: "asked", ...more }, within);
  return result.ok ? result.call : result.message;
};

const bodyOf = (protocol: Protocol, more: Record<string, unknown>, within = limits): unknown => {
  const call = prepared(protocol, more, within);
  return typeof call === "string" ? call : call.body;
};

test("output is capped in each format's own field, under either of Gemini's spellings", () => {
  expect(bodyOf("responses", {})).toMatchObject({ max_output_tokens: 2_000, model: "real" });
  expect(bodyOf("responses", { max_output_tokens: 7 })).toMatchObject({ max_output_tokens: 7 });
  expect(bodyOf("messages", { max_tokens: 32_000 })).toMatchObject({ max_tokens: 2_000, model: "real" });
  expect(bodyOf("gemini", { generation_config: { max_output_tokens: 9_999, top_k: 3 } })).toMatchObject({
    generationConfig: { maxOutputTokens: 2_000, topK: 3 },
  });
  expect(prepared("gemini", { generationConfig: { candidateCount: 3 } })).toMatchObject({ maxOutputTokens: 6_000, model: "real" });
  for (const protocol of ["responses", "messages"] as const)
    expect(prepared(protocol, { max_tokens: -1, max_output_tokens: 1.5 })).toContain("must be a whole number above 0");
});

test("thinking stays below the cap, as Anthropic wants it", () => {
  const thinking = { type: "enabled", budget_tokens: 31_999 };
  expect(bodyOf("messages", { max_tokens: 32_000, thinking })).toMatchObject({ thinking: { type: "enabled", budget_tokens: 1_999 } });
  expect(bodyOf("messages", { thinking }, { ...limits, cap: 500 })).not.toHaveProperty("thinking");
  expect(bodyOf("messages", { thinking: { type: "adaptive" } })).toMatchObject({ thinking: { type: "adaptive" } });
});

test("cache writes are seen where a request asks for them, since they cost more", () => {
  const system = (ttl?: string) => [{ type: "text", text: "x", cache_control: { type: "ephemeral", ...(ttl && { ttl }) } }];
  expect(prepared("messages", {})).toMatchObject({ cacheWrites: "none" });
  expect(prepared("messages", { system: system() })).toMatchObject({ cacheWrites: "short" });
  expect(prepared("messages", { system: [...system("1h"), ...system()] })).toMatchObject({ cacheWrites: "long" });
});

test("tools the provider runs itself are taken out; refused when nothing else is asked for or they are forced", () => {
  const fn = { type: "function", name: "shell" };
  expect(bodyOf("responses", { tools: [fn, { type: "web_search" }] })).toMatchObject({ tools: [fn] });
  expect(bodyOf("responses", { tools: [{ type: "web_search" }] })).toContain("web_search is not supported yet");
  const forced = { tools: [fn, { type: "code_interpreter" }], tool_choice: { type: "code_interpreter" } };
  expect(bodyOf("responses", forced)).toContain("code_interpreter is not supported yet");
  const write = { name: "Write", input_schema: {} };
  const bash = { type: "bash_20250124", name: "bash" };
  expect(bodyOf("messages", { tools: [write, bash, { type: "web_fetch_20250910", name: "web_fetch" }] })).toMatchObject({
    tools: [write, bash],
  });
  const functions = { functionDeclarations: [{ name: "write_file" }] };
  expect(bodyOf("gemini", { tools: [{ function_declarations: functions.functionDeclarations, google_search: {} }] })).toMatchObject({
    tools: [functions],
  });
  expect(bodyOf("gemini", { tools: [{ googleSearch: {} }] })).toContain("googleSearch is not supported yet");
  expect(prepared("gemini", { tools: [{ googleSearch: {} }] }, own)).toMatchObject({ isUnpriced: true, model: "asked" });
});

test("what cannot be reserved or metered is refused by name", () => {
  for (const [protocol, more, name] of [
    ["responses", { previous_response_id: "r" }, "previous_response_id"],
    ["responses", { background: true }, "background"],
    ["responses", { input: [{ type: "item_reference", id: "x" }] }, "item_reference"],
    ["messages", { mcp_servers: [] }, "mcp_servers"],
    ["messages", { inference_geo: "us" }, "inference_geo"],
    ["gemini", { cached_content: "cachedContents/1" }, "cachedContent"],
  ] as const)
    expect(prepared(protocol, more)).toContain(`${name} is not supported yet`);
  expect(bodyOf("messages", { service_tier: "auto", speed: "fast" })).toEqual({ ...least.messages, model: "real", max_tokens: 2_000 });
});

test("with the agent's own login its model and its ways stay, and a cap is not forced on an endpoint that knows none", () => {
  expect(bodyOf("messages", { speed: "fast" }, own)).toMatchObject({ speed: "fast", model: "asked", max_tokens: 2_000 });
  expect(bodyOf("responses", { service_tier: "priority" }, own)).toEqual({ input: "hi", model: "asked", service_tier: "priority" });
  expect(bodyOf("responses", { max_output_tokens: 9_999 }, own)).toMatchObject({ max_output_tokens: 2_000 });
});

test("a model's name in the path goes out as the agreed one", () => {
  const target = targetOf("/v1beta/models/gemini-2.5-flash:streamGenerateContent");
  expect(target).toMatchObject({ act: "answer", path: { model: "gemini-2.5-flash", stream: true } });
  expect(target?.upstreamPath("org/real")).toBe("/models/org%2Freal:streamGenerateContent");
  for (const path of ["/v1beta/models/a/b:generateContent", "/v1beta/models/x:embedContent", "/v1/messages/batches", "/"])
    expect(targetOf(path)).toBeUndefined();
});
