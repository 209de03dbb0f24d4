import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { executorConformance, stepBase, type Behaviour } from "../conformance.ts";
import type { ExecutionResult } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { createChatExecutor, type ChatExecutorOptions } from "./executor.ts";
import { startScriptedEndpoint, type ScriptedEndpoint, type ScriptedTurn } from "./scripted-endpoint.testkit.ts";

const KEY = "sf-test-key";
/** Attempts are told apart over the whole machine. */
const ATTEMPT = `run-${process.pid}/sum#1`;
const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };

const run = (command: string, timeout_seconds = 300): ScriptedTurn => ({
  tools: [{ name: "run_command", args: { command, timeout_seconds } }],
});

function scriptOf(behaviour: Behaviour): ScriptedTurn[] {
  switch (behaviour.does) {
    case "write":
      return [{ tools: [{ name: "write_file", args: { path: behaviour.path, content: behaviour.content } }] }, { text: "I wrote it." }];
    case "lie":
      return [{ text: "All done, all tests pass." }];
    case "fail":
      return [{ tools: [{ name: "give_up", args: { reason: behaviour.reason } }] }];
    case "hang":
      return [run(`sleep ${behaviour.marker}`)];
    case "ignore-signals":
      return [run(`trap "" TERM INT; while :; do sleep ${behaviour.marker}; done`)];
    case "leave-children":
      return [run(`sleep ${behaviour.marker} & setsid sleep ${behaviour.marker} & sleep 0.1`), { text: "done" }];
    case "crash":
      return [run("kill -9 $PPID")];
    case "flood":
      return [{ endless: true }];
    case "print":
      return [{ text: behaviour.text }];
    default:
      return behaviour satisfies never;
  }
}

executorConformance("the chat executor", async () => {
  const endpoint = await startScriptedEndpoint();
  return {
    executor: createChatExecutor({ maxRetries: 0 }),
    reportsTokens: true,
    arrange: async (behaviour) => {
      endpoint.script(scriptOf(behaviour));
      return { step, prompt: "add sum", gateway: { url: endpoint.url, key: KEY, model: "scripted" } };
    },
    arrangeTalk: async () => {
      endpoint.script([run("true"), { text: "done" }]);
      return { step, prompt: "add sum", gateway: { url: endpoint.url, key: KEY, model: "scripted" } };
    },
    hadWord: (word) => JSON.stringify(endpoint.requests.at(-1)?.body).includes(word),
    cleanUp: () => endpoint.close(),
  };
});

describe("the chat agent", () => {
  let endpoint: ScriptedEndpoint;
  let folder: string;
  beforeAll(async () => void (endpoint = await startScriptedEndpoint()));
  afterAll(() => endpoint.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stepfall-chat-"));
    mkdirSync(join(folder, "tree/.git/hooks"), { recursive: true });
    endpoint.requests.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function chat(turns: ScriptedTurn[], options: ChatExecutorOptions & { env?: Record<string, string>; url?: string } = {}) {
    endpoint.script(turns);
    const { env, url, ...rest } = options;
    const progress: string[] = [];
    const result: ExecutionResult = await createChatExecutor({ maxRetries: 0, ...rest }).execute(
      { attempt: ATTEMPT, runId: "run", step, prompt: "add sum", feedback: [] },
      {
        host: createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text }),
        workspace: { tree: join(folder, "tree"), home: folder, tmp: folder },
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: folder, ...env },
        transcript: join(folder, "t.ndjson"),
        deadlineMs: 60_000,
        signal: new AbortController().signal,
        gateway: { url: url ?? endpoint.url, key: KEY, model: "scripted" },
        progress: (text) => void progress.push(text),
      },
    );
    return { result, progress, answers: endpoint.toolResults() };
  }

  test("reads, edits and tests in one attempt, and its last words are the summary", async () => {
    writeFileSync(join(folder, "tree/sum.js"), "export const sum = (a, b) => a - b;\n");
    const { result, progress, answers } = await chat([
      { text: "Let me look.", tools: [{ name: "read_file", args: { path: "sum.js" } }] },
      {
        // Both in one answer: the command must see the edit.
        tools: [
          { name: "edit_file", args: { path: "sum.js", old_text: "a - b", new_text: "a + b" } },
          { name: "run_command", args: { command: "node -e 'import(`./sum.js`).then((m) => console.log(`sum`, m.sum(2, 3)))'" } },
        ],
      },
      { text: "sum adds now.\nChecked with node." },
    ]);
    expect(result).toMatchObject({ kind: "ended", summary: "sum adds now.\nChecked with node." });
    expect(result.reported).toEqual({ calls: 3, inputTokens: 33, cachedInputTokens: 15, outputTokens: 21 });
    expect(readFileSync(join(folder, "tree/sum.js"), "utf8")).toBe("export const sum = (a, b) => a + b;\n");
    expect(progress[0]).toBe("read sum.js");
    expect(progress[1]).toBe("edit sum.js");
    expect(progress[2]).toMatch(/^run node -e/);
    expect(answers[2]).toContain("sum 5");
  });

  test("asks the gateway with the attempt's key for the attempt's model", async () => {
    await chat([{ text: "done" }]);
    expect(endpoint.requests[0]).toMatchObject({
      path: "/v1/chat/completions",
      authorization: `Bearer ${KEY}`,
      body: { model: "scripted" },
    });
    expect(endpoint.requests[0]?.body.tools?.map((tool) => tool.function.name).toSorted()).toEqual([
      "edit_file",
      "give_up",
      "list_files",
      "read_file",
      "run_command",
      "search",
      "write_file",
    ]);
  });

  test("no command sees the key: not in its environment, its parent's, the command lines, or the parent's stdin", async () => {
    const { answers } = await chat(
      [
        {
          tools: [
            {
              name: "run_command",
              args: {
                command:
                  "env; tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' ' ' < /proc/$PPID/cmdline; timeout 1 cat /proc/$PPID/fd/0; echo looked",
              },
            },
          ],
        },
        { text: "done" },
      ],
      { env: { OPENAI_API_KEY: KEY } },
    );
    expect(answers[0]).toContain("looked");
    const ownEnvironment =
      answers[0]
        ?.split("\nlooked")[0]
        ?.split("\n")
        .filter((line) => line.includes(KEY)) ?? [];
    // The last resort works: a key that the caller put into the environment itself is only in the parent's.
    expect(ownEnvironment).toEqual([`OPENAI_API_KEY=${KEY}`]);
    const { answers: clean } = await chat([
      {
        tools: [
          {
            name: "run_command",
            args: {
              command:
                "env; tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' ' ' < /proc/$PPID/cmdline; timeout 1 cat /proc/$PPID/fd/0; echo looked",
            },
          },
        ],
      },
      { text: "done" },
    ]);
    expect(clean[0]).toContain(`STEPFALL_ATTEMPT=${ATTEMPT}`);
    expect(clean[0]).not.toContain(KEY);
  });

  test("files outside the workspace are refused in words, and the model may go on", async () => {
    const { result, answers } = await chat([
      { tools: [{ name: "read_file", args: { path: "/etc/passwd" } }] },
      { tools: [{ name: "write_file", args: { path: ".git/hooks/pre-commit", content: "#!/bin/sh" } }] },
      { text: "Then not." },
    ]);
    expect(answers[0]).toMatch(/^Refused: .*outside the workspace/);
    expect(answers[1]).toMatch(/^Refused: .*\.git/);
    expect(result).toMatchObject({ kind: "ended", summary: "Then not." });
  });

  test("a call of a tool that does not exist, or with broken arguments, is told to the model", async () => {
    const { result, answers } = await chat([
      { tools: [{ name: "delete_everything", args: {} }] },
      { tools: [{ name: "read_file", args: '{"path": ' }] },
      { tools: [{ name: "read_file", args: { path: 7 } }] },
      { text: "done" },
    ]);
    expect(result.kind, JSON.stringify(result)).toBe("ended");
    expect(answers).toHaveLength(3);
    expect(answers[0]).toContain("delete_everything");
  });

  test("a budget's refusal is a budget failure with the gateway's sentence, not a provider failure", async () => {
    const error = { message: "the run's budget of $1.00 is used up", type: "budget_exhausted" };
    const { result } = await chat([{ status: 402, error }]);
    expect(result).toMatchObject({ kind: "failed", because: "budget", message: "the run's budget of $1.00 is used up" });
    const midway = await chat([{ text: "I am", streamError: error }]);
    expect(midway.result).toMatchObject({ kind: "failed", because: "budget", message: "the run's budget of $1.00 is used up" });
  });

  test.each([
    ["answers HTTP 500", [{ status: 500, error: { message: "overloaded" } }], "HTTP 500: overloaded"],
    ["answers HTTP 401", [{ status: 401, error: { message: "bad key" } }], "HTTP 401: bad key"],
    ["sends an error in the stream", [{ text: "Let", streamError: { message: "upstream went away" } }], "upstream went away"],
    ["cuts the stream", [{ text: "Let me", cutOff: true }], ""],
  ] satisfies [string, ScriptedTurn[], string][])("a provider that %s is a provider failure", async (_, turns, message) => {
    const { result } = await chat(turns);
    expect(result).toMatchObject({ kind: "failed", because: "provider", message: expect.stringContaining(message) });
  });

  test("a gateway that is not there is a provider failure", async () => {
    const { result } = await chat([], { url: "http://127.0.0.1:9/v1", reconnectMs: 500 });
    expect(result).toMatchObject({ kind: "failed", because: "provider" });
  });

  test("a short outage is retried", async () => {
    const { result } = await chat([{ status: 503, error: { message: "busy" } }, { text: "done" }], { maxRetries: 1 });
    expect(result).toMatchObject({ kind: "ended", summary: "done" });
    expect(endpoint.requests).toHaveLength(2);
  });

  test("a gateway that comes back after seconds is waited for, without a retry of its own", async () => {
    const port = Number(new URL(endpoint.url).port);
    await endpoint.close();
    const going = chat([{ text: "done" }], { maxRetries: 0, url: `http://127.0.0.1:${port}/v1` });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    endpoint = await startScriptedEndpoint(port);
    endpoint.script([{ text: "done" }]);
    expect((await going).result).toMatchObject({ kind: "ended", summary: "done" });
    expect(endpoint.requests).toHaveLength(1);
  });

  test("a step whose connection broke in the middle is asked again, and none of its tools had run", async () => {
    const write: ScriptedTurn = { tools: [{ name: "write_file", args: { path: "a.txt", content: "once" } }] };
    const { result, answers } = await chat([
      { ...write, text: "I write", cutOff: "late" },
      { ...write, text: "I write it." },
      { text: "Written." },
    ]);
    expect(result).toMatchObject({ kind: "ended", summary: "Written." });
    expect(answers).toHaveLength(1);
    expect(readFileSync(join(folder, "tree/a.txt"), "utf8")).toBe("once");
    expect(endpoint.requests).toHaveLength(3);
  });

  test("a step whose provider broke off in the middle, as the gateway tells, is asked again", async () => {
    const broken = { message: "The model endpoint broke off", type: "upstream_error", code: "stream_interrupted" };
    const { result } = await chat([{ text: "I write", streamError: broken }, { text: "Written." }]);
    expect(result).toMatchObject({ kind: "ended", summary: "Written." });
    expect(endpoint.requests).toHaveLength(2);
  });

  test("a model that never comes to an end is stopped after maxTurns", async () => {
    const { result } = await chat([{ tools: [{ name: "list_files", args: {} }] }], { maxTurns: 3 });
    expect(result).toMatchObject({ kind: "failed", because: "agent", message: "not done after 3 turns" });
    expect(endpoint.requests).toHaveLength(3);
  });

  test("an answer cut at the output limit is not taken for the end", async () => {
    const { result } = await chat([{ text: "I have chan", finishReason: "length" }]);
    expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("output limit") });
  });

  test("a command that hangs is stopped after its own timeout, with its children, and the model is told", async () => {
    const { result, answers } = await chat([run("echo before; sleep 1000 | sleep 1000", 1), { text: "It hung." }]);
    expect(answers[0]).toBe("[stopped after 1 s]\nbefore");
    expect(result.kind).toBe("ended");
  });

  test("without a gateway or a workspace it says so", async () => {
    const context = { env: {}, transcript: join(folder, "t"), deadlineMs: 1000, signal: new AbortController().signal, progress: () => {} };
    const host = createLocalHost({ home: folder, clock: { now: () => 0 }, mask: (text) => text });
    const task = { attempt: "run/sum#1", runId: "run", step, prompt: "", feedback: [] };
    const executor = createChatExecutor();
    expect(await executor.execute(task, { ...context, host })).toMatchObject({ kind: "failed", because: "internal" });
    const workspace = { tree: folder, home: folder, tmp: folder };
    expect(await executor.execute(task, { ...context, host, workspace })).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("no model"),
    });
  });

  test("preflight tells a wrong key and a gateway that is gone, and spends nothing", async () => {
    const host = createLocalHost({ home: folder, clock: { now: () => 0 }, mask: (text) => text });
    const ask = (gateway: { url: string; key: string; model: string }) =>
      createChatExecutor().preflight({ host, env: {}, scratch: folder, signal: new AbortController().signal, gateway });
    expect(await ask({ url: endpoint.url, key: KEY, model: "scripted" })).toEqual({ ok: true, detail: "the gateway offers scripted" });
    expect(await ask({ url: endpoint.url, key: "sf-wrong", model: "scripted" })).toMatchObject({
      ok: false,
      problem: expect.stringContaining("401"),
    });
    expect(await ask({ url: "http://127.0.0.1:9/v1", key: KEY, model: "scripted" })).toMatchObject({ ok: false });
    expect(endpoint.requests).toEqual([]);
  });
});
