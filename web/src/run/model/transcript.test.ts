import { expect, test } from "vitest";
import type { LogLine } from "./log-buffer.ts";
import { readableLine, TranscriptReader } from "./transcript.ts";

const printed = (...texts: (string | object)[]): LogLine[] =>
  texts.map((text, i) => ({
    attempt: "r/a#1",
    step: "a",
    n: 1,
    role: "agent",
    seq: i,
    at: i,
    stream: "stdout",
    text: typeof text === "string" ? text : JSON.stringify(text),
  }));

const told = (...texts: (string | object)[]): string[] => read(printed(...texts));

const read = (lines: readonly LogLine[], reader = new TranscriptReader()): string[] =>
  reader.follow(lines).map((e) => `${e.kind}: ${e.text}`);

test("what our own agent says is read: its words, its tools, what they showed, and how it ended", () => {
  expect(
    told(
      { type: "text", text: "I look first." },
      { type: "tool", name: "read_file", label: "read a.js" },
      { type: "tool-result", name: "read_file", output: "one\ntwo" },
      { type: "usage", turn: 1, inputTokens: 5 },
      { type: "failed", because: "provider", message: "no answer" },
    ),
  ).toEqual(["says: I look first.", "does: read a.js", "sees: one\ntwo", "failed: provider: no answer"]);
});

test("pieces of a sentence that an ACP agent streams are put together, and what is no update is left out", () => {
  const update = (of: object): object => ({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update: of } });
  const says = (text: string): object => update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
  expect(
    told(
      { jsonrpc: "2.0", id: 1, result: { protocolVersion: 1 } },
      says("It is "),
      says("done."),
      update({ sessionUpdate: "tool_call", toolCallId: "t", title: "edit src/a.ts" }),
      update({ sessionUpdate: "tool_call_update", toolCallId: "t", content: [{ type: "content", content: { type: "text", text: "ok" } }] }),
    ),
  ).toEqual(["says: It is done.", "does: edit src/a.ts", "sees: ok"]);
});

test("lines of command line agents are read, and a result that is an error is said to be one", () => {
  expect(
    told(
      {
        type: "assistant",
        message: {
          content: [
            { type: "text", text: "Hi" },
            { type: "tool_use", name: "Bash", input: { command: "ls" } },
          ],
        },
      },
      { type: "user", message: { content: [{ type: "tool_result", content: "a.js" }] } },
      { type: "result", is_error: true, result: "out of turns" },
      { type: "item.completed", item: { type: "agent_message", text: "I am Codex" } },
    ),
  ).toEqual(["says: Hi", 'does: Bash {"command":"ls"}', "sees: a.js", "failed: out of turns", "says: I am Codex"]);
});

test("what no protocol explains is shown as it is: nothing is swallowed", () => {
  expect(told("plain", "text", '{"half": ', { strange: true })).toEqual(['printed: plain\ntext\n{"half": \n{"strange":true}']);
  expect(readableLine('{"type":"usage","turn":1}')).toBe('{"type":"usage","turn":1}');
  expect(readableLine('{"type":"tool","label":"read a.js"}')).toBe("> read a.js");
});

test("a transcript that goes on is read on, not from its beginning, and another one is read anew", () => {
  const says = (text: string): object => ({
    jsonrpc: "2.0",
    method: "session/update",
    params: { update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } },
  });
  const reader = new TranscriptReader();
  const lines = printed(says("It is "), says("nearly "));
  expect(read(lines, reader)).toEqual(["says: It is nearly "]);
  lines.push(...printed(says("done."), { type: "done" }));
  expect(read(lines, reader)).toEqual(["says: It is nearly done.", "ended: the agent says that it is done"]);
  expect(read(lines, reader)).toHaveLength(2);
  expect(read(printed("another"), reader)).toEqual(["printed: another"]);
});
