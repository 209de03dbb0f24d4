import { describe, expect, test } from "vitest";
import type { Protocol } from "../contract.ts";
import type { Json } from "../wire/wire.ts";
import { pairs, translated } from "./translation.testkit.ts";

const schema = { type: "object", properties: { path: { type: "string" } }, required: ["path"] };
const shape = { type: "object", properties: { ok: { type: "boolean" } } };
const png = "iVBORw0KGgo=";

/** One request in the words of each format: a picture, two calls side by side, their results, and a shape for the answer. */
const request: Record<Protocol, Json> = {
  chat: {
    model: "big",
    messages: [
      { role: "system", content: "Be exact." },
      {
        role: "user",
        content: [
          { type: "text", text: "Compare with this." },
          { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
      {
        role: "assistant",
        content: "I look.",
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "read", arguments: '{"path":"a"}' } },
          { id: "call_b", type: "function", function: { name: "read", arguments: '{"path":"b"}' } },
        ],
      },
      { role: "tool", tool_call_id: "call_a", content: "text of a" },
      { role: "tool", tool_call_id: "call_b", content: "text of b" },
      { role: "user", content: "And?" },
    ],
    tools: [{ type: "function", function: { name: "read", description: "Reads", parameters: schema } }],
    tool_choice: { type: "function", function: { name: "read" } },
    temperature: 0.2,
    max_tokens: 900,
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: shape } },
  },
  responses: {
    model: "big",
    instructions: "Be exact.",
    input: [
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "Compare with this." },
          { type: "input_image", image_url: `data:image/png;base64,${png}`, detail: "auto" },
        ],
      },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look." }] },
      { type: "function_call", call_id: "call_a", name: "read", arguments: '{"path":"a"}' },
      { type: "function_call", call_id: "call_b", name: "read", arguments: '{"path":"b"}' },
      { type: "function_call_output", call_id: "call_a", output: "text of a" },
      { type: "function_call_output", call_id: "call_b", output: "text of b" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "And?" }] },
    ],
    tools: [{ type: "function", name: "read", description: "Reads", parameters: schema, strict: false }],
    tool_choice: { type: "function", name: "read" },
    temperature: 0.2,
    max_output_tokens: 900,
    text: { format: { type: "json_schema", name: "answer", schema: shape, strict: false } },
    store: false,
  },
  messages: {
    model: "big",
    max_tokens: 900,
    system: "Be exact.",
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Compare with this." },
          { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "text", text: "I look." },
          { type: "tool_use", id: "call_a", name: "read", input: { path: "a" } },
          { type: "tool_use", id: "call_b", name: "read", input: { path: "b" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_a", content: "text of a" },
          { type: "tool_result", tool_use_id: "call_b", content: "text of b" },
          { type: "text", text: "And?" },
        ],
      },
    ],
    tools: [{ name: "read", description: "Reads", input_schema: schema }],
    tool_choice: { type: "tool", name: "read" },
    temperature: 0.2,
    output_config: { format: { type: "json_schema", schema: shape } },
  },
  gemini: {
    systemInstruction: { parts: [{ text: "Be exact." }] },
    contents: [
      { role: "user", parts: [{ text: "Compare with this." }, { inlineData: { mimeType: "image/png", data: png } }] },
      {
        role: "model",
        parts: [
          { text: "I look." },
          { functionCall: { id: "call_a", name: "read", args: { path: "a" } }, thoughtSignature: "skip_thought_signature_validator" },
          { functionCall: { id: "call_b", name: "read", args: { path: "b" } } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { id: "call_a", name: "read", response: { output: "text of a" } } },
          { functionResponse: { id: "call_b", name: "read", response: { output: "text of b" } } },
          { text: "And?" },
        ],
      },
    ],
    tools: [{ functionDeclarations: [{ name: "read", description: "Reads", parametersJsonSchema: schema }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["read"] } },
    generationConfig: { temperature: 0.2, maxOutputTokens: 900, responseMimeType: "application/json", responseJsonSchema: shape },
  },
};

describe.each(pairs)("%s to %s", (from, to) => {
  test("the same request in the other's own words, and nothing is lost", () => {
    const { body, lost } = translated(from, to, request[from]);
    expect(body).toEqual(request[to]);
    expect(lost).toEqual([]);
  });

  test("an answer longer than the cap is not asked for", () => {
    const { body } = translated(from, to, request[from], { maxOutputTokens: 100 });
    expect(JSON.stringify(body)).toContain(":100");
    expect(JSON.stringify(body)).not.toContain(":900");
  });
});
