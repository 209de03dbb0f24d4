import fc from "fast-check";
import { expect, test } from "vitest";
import { ToolLines } from "./tool-lines.ts";
import { LivenessWatch } from "./watch.ts";

const read = (...values: unknown[]) => {
  const lines = new ToolLines();
  return values.flatMap((value) => lines.read(JSON.stringify(value)));
};
const update = (call: Record<string, unknown>) => ({
  jsonrpc: "2.0",
  method: "session/update",
  params: { sessionId: "s", update: { sessionUpdate: "tool_call_update", ...call } },
});
const text = (said: string) => [{ type: "content", content: { type: "text", text: said } }];

test("a call is told once, when it is over, with what was known of it before", () => {
  const calls = read(
    update({ toolCallId: "1", kind: "execute", status: "pending", title: "Shell" }),
    {
      jsonrpc: "2.0",
      id: 1,
      method: "session/request_permission",
      params: { toolCall: { toolCallId: "1", rawInput: { command: "npm test" } } },
    },
    update({ toolCallId: "1", status: "completed", content: text("3 passed") }),
  );
  expect(calls).toEqual([{ signature: "run npm test", result: expect.stringContaining(":completed:") }]);
});

test("an edit is equal to another only when it writes the same; one whose content is not told is never known to be", () => {
  const edit = (id: string, newText: string) =>
    update({ toolCallId: id, kind: "edit", status: "completed", content: [{ type: "diff", path: "/w/a.js", oldText: null, newText }] });
  const [a, b, c] = read(edit("1", "x"), edit("2", "x"), edit("3", "y"));
  expect(a?.signature).toBe("edit /w/a.js");
  expect(a).toEqual(b);
  expect(a?.result).not.toBe(c?.result);
  expect(read(update({ toolCallId: "4", kind: "edit", status: "completed", locations: [{ path: "/w/a.js" }] }))).toEqual([
    { signature: "edit /w/a.js", isOpaqueChange: true },
  ]);
});

test("calls that were given different things are different, also where they come to the same", () => {
  const [a, b] = read(
    ...["x", "y"].map((wanted, i) =>
      update({
        toolCallId: `${i}`,
        kind: "search",
        title: "Grep",
        rawInput: { pattern: wanted },
        status: "completed",
        content: text("nothing found"),
      }),
    ),
  );
  expect(a?.signature).toBe(b?.signature);
  expect(a?.result).not.toBe(b?.result);
});

test("Claude Code's stream: the call and its result come in messages of their own", () => {
  const call = (id: string, command: string, said: string) => [
    {
      type: "assistant",
      message: {
        content: [
          { type: "text", text: "Hm." },
          { type: "tool_use", id, name: "Bash", input: { command } },
        ],
      },
    },
    { type: "user", message: { content: [{ type: "tool_result", tool_use_id: id, is_error: true, content: said }] } },
  ];
  const [a, b, c] = read(
    ...call("t1", "npm test", "1 failed in 31 ms"),
    ...call("t2", "npm test", "1 failed in 7 ms"),
    ...call("t3", "npm test", "ok"),
  );
  expect(a?.signature).toBe("Bash npm test");
  expect(a).toEqual(b);
  expect(c?.result).not.toBe(a?.result);
});

test("Codex's and our own chat agent's calls are read too", () => {
  expect(
    read(
      {
        type: "item.completed",
        item: { id: "i", type: "command_execution", command: "ls", aggregated_output: "a", exit_code: 0, status: "completed" },
      },
      { type: "item.completed", item: { id: "i", type: "file_change", changes: [{ path: "a.js", kind: "update" }], status: "completed" } },
      { type: "item.completed", item: { id: "i", type: "agent_message", text: "tool" } },
      { type: "tool", id: "1", name: "edit_file", label: "edit a.js", input: '{"path":"a.js"}' },
      { type: "tool-result", id: "1", name: "edit_file", output: "done" },
    ),
  ).toEqual([
    { signature: "run ls", result: expect.any(String) },
    { signature: "update a.js", isOpaqueChange: true },
    { signature: "edit a.js", result: expect.any(String) },
  ]);
});

test("times, durations and process ids make no other result; figures do", () => {
  const [first, ...others] = read(
    ...[
      "Exit Code: 1\nProcess Group PGID: 17275 at 2026-11-21T16:30:00Z took 3.2s",
      "Exit Code: 1\nProcess Group PGID: 4 at 2026-11-22T01:02:03Z took 900ms",
      "Exit Code: 2\nProcess Group PGID: 4 at 2026-11-22T01:02:03Z took 900ms",
    ].map((said, i) => update({ toolCallId: `${i}`, kind: "execute", title: "x", status: "failed", content: text(said) })),
  );
  expect(others[0]).toEqual(first);
  expect(others[1]?.result).not.toBe(first?.result);
});

test("whatever a program prints, reading it neither fails nor grows without bound", () => {
  const lines = new ToolLines();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((inner) => `{"type":"tool","x":${inner}}`),
      ),
      (line) => {
        expect(Array.isArray(lines.read(line))).toBe(true);
      },
    ),
  );
  for (let i = 0; i < 10_000; i++) lines.read(JSON.stringify(update({ toolCallId: `${i}`, status: "pending", title: "x".repeat(100) })));
  // The first ones are forgotten: their end is a call of which only the end is known.
  expect(lines.read(JSON.stringify(update({ toolCallId: "0", status: "completed" })))).toMatchObject([{ signature: "use" }]);
});

test("progress in words is enough to see a loop, and counts for nothing once the lines are understood", () => {
  const watch = new LivenessWatch({ attempt: "r/a#1", step: "a", startedAt: 0 });
  for (let i = 0; i < 7; i++) {
    watch.progress("run npm test", 1000 * i);
    watch.progress("failed: run npm test", 1000 * i + 1);
  }
  expect(watch.activity.actions).toBe(7);
  expect(watch.judge(7000).state).toBe("running");
  watch.progress("run npm test", 7000);
  watch.progress("failed: run npm test", 7001);
  expect(watch.judge(7100)).toMatchObject({
    state: "stuck",
    evidence: [expect.stringContaining("8 times in a row with the same result"), expect.any(String)],
  });
  watch.output({
    at: 8000,
    stream: "stdout",
    text: JSON.stringify(update({ toolCallId: "1", kind: "execute", title: "ls", status: "completed" })),
  });
  watch.progress("run ls", 8001);
  expect(watch.activity.tokens).toEqual(["run ls"]);
});

test("edits told in words are no loop, and remarks are no calls", () => {
  const watch = new LivenessWatch({ attempt: "r/a#1", step: "a", startedAt: 0 });
  for (let i = 0; i < 20; i++) {
    watch.progress("edit src/a.js", 100 * i);
    watch.progress("plan 1/3: look", 100 * i + 1);
  }
  expect(watch.activity.actions).toBe(20);
  expect(watch.judge(2100).state).toBe("running");
});
