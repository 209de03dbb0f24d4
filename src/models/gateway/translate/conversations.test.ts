import { describe, expect, test } from "vitest";
import { objects, type Json } from "../wire/wire.ts";
import { newSeals, withoutForeignThinking } from "./index.ts";
import { least, streamed, translated } from "./translation.testkit.ts";

describe("a conversation", () => {
  test("of codex: its tools that take a text, and its groups of tools, come back as they were called", () => {
    const tools = [
      { type: "custom", name: "apply_patch", description: "Patches", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
      { type: "namespace", name: "mcp__files", tools: [{ type: "function", name: "read", parameters: { type: "object" } }] },
      { type: "local_shell" },
    ];
    const input = [
      { type: "message", role: "developer", content: [{ type: "input_text", text: "rules" }] },
      { role: "user", content: "do it" },
      { type: "reasoning", summary: [], encrypted_content: "zzz" },
      { type: "custom_tool_call", call_id: "c1", name: "apply_patch", input: "*** Begin" },
      { type: "custom_tool_call_output", call_id: "c1", output: "done" },
      { type: "function_call", call_id: "c2", namespace: "mcp__files", name: "read", arguments: "{}" },
      { type: "function_call_output", call_id: "c2", output: "ok" },
    ];
    const { body, lost, answers } = translated("responses", "chat", { model: "mine", stream: true, instructions: "base", input, tools });
    expect(lost).toEqual(["thinking of earlier answers", "tools: local_shell"]);
    expect(body).toMatchObject({
      messages: [
        { role: "system", content: "base\n\nrules" },
        { role: "user", content: "do it" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", function: { name: "apply_patch", arguments: '{"input":"*** Begin"}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: "done" },
        { role: "assistant", tool_calls: [{ id: "c2", function: { name: "mcp__files__read" } }] },
        { role: "tool", tool_call_id: "c2", content: "ok" },
      ],
      tools: [{ function: { name: "apply_patch", parameters: { required: ["input"] } } }, { function: { name: "mcp__files__read" } }],
    });
    expect(JSON.stringify(body)).toContain("start: x");
    const call = (index: number, id: string, name: string, args: string): Json => ({
      choices: [{ index: 0, delta: { tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] } }],
    });
    const events = streamed(answers, [
      call(0, "n1", "apply_patch", '{"input":"*** '),
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: 'End\\n"}' } }] } }] },
      call(1, "n2", "mcp__files__read", "{}"),
      { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
      "[DONE]",
    ]);
    const done = events.flatMap(({ event, data }) => (event === "response.output_item.done" ? [(data as { item: Json }).item] : []));
    expect(done).toMatchObject([
      { type: "custom_tool_call", call_id: "n1", name: "apply_patch", input: "*** End\n" },
      { type: "function_call", call_id: "n2", namespace: "mcp__files", name: "read", arguments: "{}" },
    ]);
  });

  test("of Claude Code: what a tool showed goes after its result, and a late system text keeps its place", () => {
    const { body, lost } = translated("messages", "chat", {
      ...least("messages"),
      messages: [
        { role: "user", content: "look" },
        {
          role: "assistant",
          content: [
            { type: "tool_use", id: "t1", name: "Read", input: {} },
            { type: "tool_use", id: "t2", name: "Read", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "t1",
              content: [
                { type: "text", text: "a picture" },
                { type: "image", source: { type: "url", url: "https://x.example/a.png" } },
              ],
            },
            { type: "tool_result", tool_use_id: "t2", content: "no such file", is_error: true },
          ],
        },
        { role: "system", content: "be quick" },
        { role: "assistant", content: "ok" },
      ],
    });
    expect(objects(body.messages).slice(2)).toEqual([
      { role: "tool", tool_call_id: "t1", content: "a picture" },
      { role: "tool", tool_call_id: "t2", content: "no such file" },
      {
        role: "user",
        content: [
          { type: "text", text: "Shown by the tool call t1:" },
          { type: "image_url", image_url: { url: "https://x.example/a.png" } },
          { type: "text", text: "be quick" },
        ],
      },
      { role: "assistant", content: "ok" },
    ]);
    expect(lost).toEqual(["the rank of a system message within the conversation"]);
  });

  test("of Gemini CLI: calls without ids, both spellings, and schemas of the older kind", () => {
    const { body } = translated("gemini", "messages", {
      system_instruction: { parts: [{ text: "s" }] },
      contents: [
        { role: "user", parts: [{ text: "q" }] },
        {
          role: "model",
          parts: [
            { text: "hm", thought: true },
            { functionCall: { name: "f", args: { n: 1 } } },
            { functionCall: { name: "f", args: { n: 2 } } },
          ],
        },
        {
          role: "user",
          parts: [
            { functionResponse: { name: "f", response: { output: "one" } } },
            { function_response: { name: "f", response: { error: "two" } } },
          ],
        },
      ],
      tools: [
        { function_declarations: [{ name: "f", parameters: { type: "OBJECT", properties: { n: { type: "INTEGER", nullable: true } } } }] },
      ],
    });
    expect(body).toMatchObject({
      system: "s",
      messages: [
        {},
        {
          content: [
            { type: "tool_use", id: "call_1", input: { n: 1 } },
            { type: "tool_use", id: "call_2", input: { n: 2 } },
          ],
        },
        {
          content: [
            { tool_use_id: "call_1", content: "one" },
            { tool_use_id: "call_2", content: "two", is_error: true },
          ],
        },
      ],
      tools: [{ input_schema: { type: "object", properties: { n: { type: ["integer", "null"] } } } }],
    });
  });

  test("with names and ids that the other format does not take keeps them apart, and gets its own back", () => {
    const long = `mcp__${"server_".repeat(12)}read`;
    const id = "functions.read:0";
    const calls = [{ id, type: "function", function: { name: long, arguments: "{}" } }];
    const { body, answers } = translated("chat", "messages", {
      model: "mine",
      tools: [
        { type: "function", function: { name: long } },
        { type: "function", function: { name: `${long}2` } },
      ],
      messages: [
        { role: "user", content: "q" },
        { role: "assistant", tool_calls: calls },
        { role: "tool", tool_call_id: id, content: "r" },
      ],
    });
    const { tools, messages } = body as { tools: { name: string }[]; messages: { content: Json[] }[] };
    const [use, result] = [messages[1]?.content[0], messages[2]?.content[0]];
    expect(tools.every(({ name }) => /^[A-Za-z0-9_-]{1,64}$/.test(name))).toBe(true);
    expect(new Set(tools.map(({ name }) => name)).size).toBe(2);
    expect(use).toMatchObject({ name: tools[0]?.name, id: expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/) as string });
    expect(result).toMatchObject({ tool_use_id: use?.id });
    const { body: answer } = answers.answer({
      content: [{ type: "tool_use", id: "x", name: tools[1]?.name, input: {} }],
      stop_reason: "tool_use",
    });
    expect(JSON.stringify(answer)).toContain(`"name":"${long}2"`);
  });
});

test("results of tools go first in their message, whatever the agent put before them", () => {
  const parts = [{ text: "and now?" }, { functionResponse: { name: "f", response: { output: "r" } } }];
  const contents = [
    { role: "model", parts: [{ functionCall: { name: "f", args: {} } }] },
    { role: "user", parts },
  ];
  const { body } = translated("gemini", "messages", { contents });
  expect(objects(objects(body.messages)[1]?.content).map(({ type }) => type)).toEqual(["tool_result", "text"]);
});

test("thinking of another model of the chain does not go to a provider that would miss its own seal on it", () => {
  const own = { type: "thinking", thinking: "mine", signature: "c2ln" };
  const foreign = { type: "thinking", thinking: "other", signature: "" };
  const text = { type: "text", text: "a" };
  const messages = [
    { role: "user", content: "q" },
    { role: "assistant", content: [foreign, text] },
    { role: "assistant", content: [foreign] },
    { role: "assistant", content: [own, text] },
  ];
  expect(withoutForeignThinking("messages", { messages })).toEqual({
    messages: [messages[0], { role: "assistant", content: [text] }, messages[3]],
  });
  const clean = { messages: [messages[0], messages[3]] };
  expect(withoutForeignThinking("messages", clean)).toBe(clean);
  const sealed = { type: "reasoning", summary: [], encrypted_content: "z" };
  const input = [{ type: "reasoning", summary: [{ type: "summary_text", text: "other" }] }, sealed];
  expect(withoutForeignThinking("responses", { store: false, input })).toEqual({ store: false, input: [sealed] });
  const stored = { store: true, input };
  expect(withoutForeignThinking("responses", stored)).toBe(stored);
});

test("Gemini's signatures come back word for word though the agent never sees them", () => {
  const seals = newSeals();
  const tools = [{ type: "function", function: { name: "f" } }];
  const first = translated("chat", "gemini", { ...least("chat"), tools }, { seals });
  const part = { functionCall: { name: "f", args: {} }, thoughtSignature: "c2VhbA==" };
  const { body } = first.answers.answer({ candidates: [{ content: { parts: [part] }, finishReason: "STOP" }] });
  expect(JSON.stringify(body)).not.toContain("c2VhbA");
  const { message } = (body as { choices: [{ message: Json }] }).choices[0];
  const id = objects(message.tool_calls)[0]?.id;
  const messages = [{ role: "user", content: "hi" }, message, { role: "tool", tool_call_id: id, content: "r" }];
  const second = translated("chat", "gemini", { model: "mine", messages, tools }, { seals, id: "ID2" });
  expect(objects(second.body.contents)[1]).toEqual({
    role: "model",
    parts: [{ functionCall: { id, name: "f", args: {} }, thoughtSignature: "c2VhbA==" }],
  });
});
