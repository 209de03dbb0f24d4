import { describe, expect, test } from "vitest";
import { least, refusalOf, translated } from "./translation.testkit.ts";

describe("what an agent keeps at its own provider", () => {
  test.each([
    ["responses", { previous_response_id: "resp_1" }, "previous_response_id"],
    ["responses", { conversation: "c1" }, "conversation"],
    ["responses", { background: true }, "background"],
    ["responses", { input: [{ type: "item_reference", id: "x" }] }, "item_reference"],
    ["responses", { input: [{ role: "user", content: [{ type: "input_file", file_id: "file_1" }] }] }, "another provider"],
    ["messages", { container: "c1" }, "container"],
    [
      "messages",
      { messages: [{ role: "user", content: [{ type: "image", source: { type: "file", file_id: "f1" } }] }] },
      "another provider",
    ],
    ["gemini", { cachedContent: "cachedContents/1" }, "cachedContent"],
    [
      "gemini",
      { contents: [{ parts: [{ fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/1" } }] }] },
      "another provider",
    ],
    ["chat", { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file_1" } }] }] }, "another provider"],
    ["chat", { n: 2 }, "n above 1"],
    ["chat", { tools: [{ type: "web_search" }] }, "tools of this request are of another provider"],
    ["messages", { tools: [{ type: "web_search_20260209", name: "web_search" }] }, "tools of this request are of another provider"],
    [
      "responses",
      { tools: [{ type: "function", name: "f" }, { type: "web_search" }], tool_choice: { type: "web_search" } },
      "web_search is not there",
    ],
  ] as const)("in %s is refused and not mangled: %j", (from, more, words) => {
    const to = from === "chat" ? "messages" : "chat";
    expect(refusalOf(from, to, least(from, more))).toContain(words);
  });
});

describe("what a format has no word for is named", () => {
  test.each([
    [
      "messages",
      "chat",
      {
        system: [{ type: "text", text: "s", cache_control: { type: "ephemeral" } }],
        thinking: { type: "adaptive" },
        metadata: { user_id: "u" },
      },
      ["metadata", "cache_control", "thinking"],
    ],
    [
      "messages",
      "chat",
      {
        tools: [
          { name: "f", input_schema: {} },
          { type: "web_search_20260209", name: "web_search" },
        ],
      },
      ["tools: web_search_20260209"],
    ],
    [
      "responses",
      "chat",
      { include: ["reasoning.encrypted_content"], prompt_cache_key: "k", store: false },
      ["include", "prompt_cache_key"],
    ],
    ["chat", "responses", { stop: ["a"], seed: 1 }, ["seed", "stop sequences"]],
    [
      "chat",
      "messages",
      { reasoning_effort: "high", temperature: 1.5, top_p: 0.9 },
      ["reasoning effort", "a temperature above 1", "top_p beside temperature"],
    ],
    [
      "gemini",
      "chat",
      { safetySettings: [], generationConfig: { thinkingConfig: {} } },
      ["safetySettings", "generationConfig.thinkingConfig"],
    ],
    [
      "chat",
      "gemini",
      { parallel_tool_calls: false, logit_bias: {}, tools: [{ type: "function", function: { name: "f" } }] },
      ["logit_bias", "one tool call at a time"],
    ],
  ] as const)("%s to %s: %j", (from, to, more, lost) => {
    expect(translated(from, to, least(from, more)).lost).toEqual(lost);
  });

  test("thinking of earlier answers stays where it was made, sealed or not", () => {
    const content = [
      { type: "thinking", thinking: "hm", signature: "c2ln" },
      { type: "redacted_thinking", data: "xx" },
      { type: "text", text: "a" },
    ];
    const { body, lost } = translated("messages", "responses", {
      ...least("messages"),
      messages: [
        { role: "user", content: "q" },
        { role: "assistant", content },
      ],
    });
    expect(lost).toEqual(["thinking of earlier answers"]);
    expect(JSON.stringify(body)).not.toMatch(/hm|c2ln|xx/);
  });
});
