import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { executorConformance, stepBase, type Behaviour } from "../conformance.ts";
import type { ExecutionContext, PermissionRequest } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import type { AgentPreset } from "../presets/contract.ts";
import { custom } from "../presets/custom.ts";
import { createAcpExecutor } from "./executor.ts";
import { fakeAgent, type Act, type FakeScript } from "./fake-agent.testkit.ts";

const step: AgentStep = { ...stepBase, kind: "agent", prompt: "add sum", agent: { capability: [] } };
const gateway = { url: "http://127.0.0.1:9/v1", key: "sf-test-key", model: "stepfall" };
const usage = { inputTokens: 6, cachedReadTokens: 5, outputTokens: 7 };
const preset: AgentPreset = { ...custom, inputIncludesCached: false };

const options = [
  { optionId: "yes-always", name: "Always", kind: "allow_always" },
  { optionId: "yes", name: "Yes", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" },
];

function scriptOf(behaviour: Behaviour): FakeScript {
  const acts = (...prompt: Act[]): FakeScript => ({ prompt, result: { usage } });
  switch (behaviour.does) {
    case "write":
      return acts({ do: "write", path: behaviour.path, content: behaviour.content }, { do: "say", text: "I wrote it." });
    case "lie":
      return acts({ do: "say", text: "All done." });
    case "fail":
      return { prompt: [{ do: "say", text: behaviour.reason }], result: { stopReason: "refusal", usage } };
    case "hang":
      return acts({ do: "child", command: `sleep ${behaviour.marker}` }, { do: "until-cancelled" }, { do: "stubborn" });
    case "ignore-signals":
      return acts(
        { do: "child", command: `trap "" TERM INT; while :; do sleep ${behaviour.marker}; done`, detached: true },
        { do: "stubborn" },
      );
    case "leave-children":
      return acts(
        { do: "child", command: `sleep ${behaviour.marker}` },
        { do: "child", command: `sleep ${behaviour.marker}`, detached: true },
        { do: "sleep", ms: 100 },
        { do: "say", text: "done" },
      );
    case "crash":
      return acts({ do: "crash" });
    case "flood":
      return acts({ do: "flood" });
    case "print":
      return acts({ do: "say", text: behaviour.text });
    default:
      return behaviour satisfies never;
  }
}

executorConformance(
  "the ACP executor with a scripted agent",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "stepfall-acp-"));
    const file = join(folder, "script.json");
    return {
      executor: createAcpExecutor({ preset, command: fakeAgent(file, { prompt: [] }), cancelMs: 200 }),
      reportsTokens: true,
      arrange: async (behaviour) => {
        fakeAgent(file, scriptOf(behaviour));
        return { step, prompt: "add sum", gateway };
      },
      arrangeTalk: async (behaviour) => {
        if (behaviour.does === "listen") {
          fakeAgent(file, {
            prompt: [
              { do: "say", text: "I did it." },
              { do: "note-prompt", file: `${file}.prompts` },
            ],
            result: { usage },
          });
          return { step, prompt: "add sum", gateway };
        }
        if (behaviour.does !== "ask") throw new Error("the scripted agent remembers nothing");
        const toolCall = { toolCallId: "w", title: `write ${behaviour.path}`, kind: "edit", locations: [{ path: behaviour.path }] };
        const { path, content } = behaviour;
        fakeAgent(file, { prompt: [{ do: "ask", toolCall, options, thenWrite: { path, content } }] });
        return { step, prompt: "add sum", gateway };
      },
      hadWord: (word) => readFileSync(`${file}.prompts`, "utf8").includes(word),
      cleanUp: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  { cannot: { resume: "it is scripted and has no memory; see the tests below" } },
);

describe("the ACP executor", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stepfall-acp-"));
    for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface More extends Partial<Pick<ExecutionContext, "permit" | "signal" | "deadlineMs" | "credentials" | "env">> {
    resume?: string;
    permissions?: AgentStep["permissions"];
    preset?: Partial<AgentPreset>;
    withoutGateway?: boolean;
    command?: [string, ...string[]];
  }
  async function run(script: FakeScript, more: More = {}) {
    const progress: string[] = [];
    const command = more.command ?? fakeAgent(join(folder, "script.json"), script);
    const executor = createAcpExecutor({ preset: { ...preset, ...more.preset }, command, cancelMs: 300 });
    const result = await executor.execute(
      {
        attempt: `acp-${process.pid}/sum#1`,
        runId: "run",
        step: more.permissions ? { ...step, permissions: more.permissions } : step,
        prompt: "add sum",
        feedback: [],
        ...(more.resume ? { resume: more.resume } : {}),
      },
      {
        host: createLocalHost({
          home: join(folder, "stepfall"),
          clock: { now: () => Date.now() },
          mask: (text) => text,
          grace: { termMs: 200, intMs: 100 },
        }),
        workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: join(folder, "home"), ...more.env },
        transcript: join(folder, "t.ndjson"),
        deadlineMs: more.deadlineMs ?? 20_000,
        signal: more.signal ?? new AbortController().signal,
        ...(more.withoutGateway ? {} : { gateway }),
        ...(more.permit ? { permit: more.permit } : {}),
        ...(more.credentials ? { credentials: more.credentials } : {}),
        progress: (text) => void progress.push(text),
      },
    );
    return { result, progress };
  }
  const say = (text: string): Act => ({ do: "say", text });
  const call = (update: Record<string, unknown>): Act => ({ do: "update", update: { sessionUpdate: "tool_call", ...update } });

  test("answers with the last message, not with what was said before a tool was used", async () => {
    const { result, progress } = await run({
      prompt: [
        say("Let me "),
        say("look."),
        call({ toolCallId: "1", title: "npm test", kind: "execute", rawInput: { command: "npm test" } }),
        {
          do: "update",
          update: {
            sessionUpdate: "plan",
            entries: [
              { content: "a", status: "completed" },
              { content: "b", status: "in_progress" },
            ],
          },
        },
        say("All "),
        say("green."),
      ],
      result: { usage },
    });
    expect(result).toEqual({
      kind: "ended",
      summary: "All green.",
      reported: { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 },
    });
    expect(progress).toEqual(["run npm test", "plan 2/2: b"]);
  });

  test("tells of a tool call once, when it is known what it acts on, and again when it fails", async () => {
    const path = join(folder, "tree/src/a.ts");
    const { progress } = await run({
      prompt: [
        call({ toolCallId: "1", title: "Write", kind: "edit", status: "pending" }),
        { do: "update", update: { sessionUpdate: "tool_call_update", toolCallId: "1", locations: [{ path }] } },
        { do: "update", update: { sessionUpdate: "tool_call_update", toolCallId: "1", status: "in_progress" } },
        { do: "update", update: { sessionUpdate: "tool_call_update", toolCallId: "1", status: "failed" } },
      ],
    });
    expect(progress).toEqual(["edit src/a.ts", "failed: edit src/a.ts"]);
  });

  test("reads a message that is longer than a line of the transcript", async () => {
    const { result, progress } = await run({ prompt: [{ do: "big", lines: 20_000 }, say("wrote it")] });
    expect(result).toMatchObject({ kind: "ended", summary: "wrote it" });
    expect(progress).toEqual(["edit big.txt"]);
  });

  test("goes on after lines that are no messages, and after messages it does not know", async () => {
    const { result } = await run({
      prompt: [
        { do: "raw", text: 'Debugger listening\n{"jsonrpc":"2.0","method":\n[1,2]\n{"jsonrpc":"2.0","id":77,"result":{}}\n{}\n' },
        { do: "raw", text: '{"jsonrpc":"2.0","method":"_vendor/news","params":{}}\n{"jsonrpc":"2.0","method":"session/update"}\n' },
        { do: "update", update: { sessionUpdate: "of_tomorrow", content: 7 } },
        say("done"),
      ],
    });
    expect(result).toMatchObject({ kind: "ended", summary: "done" });
  });

  test("asks leave once for what the agent asks, in its words, and never for always", async () => {
    const asked: PermissionRequest[] = [];
    const toolCall = { toolCallId: "1", title: "rm -rf build", kind: "execute", rawInput: { command: "rm -rf build" } };
    const permit: ExecutionContext["permit"] = async (request) => {
      asked.push(request);
      return { allow: true };
    };
    const allowed = await run({ prompt: [{ do: "ask", toolCall, options }] }, { permit });
    expect(asked).toEqual([{ title: "rm -rf build", kind: "execute", detail: "rm -rf build" }]);
    expect(allowed.result).toMatchObject({ summary: expect.stringContaining('"optionId":"yes"') });
    const refused = await run(
      { prompt: [{ do: "ask", toolCall, options }] },
      { permit: () => Promise.resolve({ allow: false, because: "policy" }) },
    );
    expect(refused.result).toMatchObject({ summary: expect.stringContaining('"optionId":"no"') });
    expect(refused.progress).toContain("refused: run rm -rf build (policy)");
    const onlyAllow = await run(
      { prompt: [{ do: "ask", toolCall, options: options.slice(0, 2) }] },
      { permit: () => Promise.resolve({ allow: false, because: "policy" }) },
    );
    expect(onlyAllow.result).toMatchObject({ summary: expect.stringContaining('"cancelled"') });
    expect((await run({ prompt: [{ do: "ask", toolCall, options }] })).result).toMatchObject({
      summary: expect.stringContaining('"optionId":"yes"'),
    });
  });

  test("puts the agent in the mode in which it asks, when the step's policy is to be asked for", async () => {
    const modes = {
      currentModeId: "free",
      availableModes: [
        { id: "free", name: "f" },
        { id: "asking", name: "a" },
      ],
    };
    const script: FakeScript = { session: { modes }, prompt: [] };
    const sessionModes = { asks: "asking", allows: "free" };
    const setMode = () => readFileSync(join(folder, "t.ndjson"), "utf8").includes('\\"id\\":2,\\"result\\":{}');
    const permit: ExecutionContext["permit"] = () => Promise.resolve({ allow: true });
    await run(script, { preset: { sessionModes }, permit });
    expect(setMode()).toBe(false);
    rmSync(join(folder, "t.ndjson"));
    await run(script, { preset: { sessionModes }, permit, permissions: "edits" });
    expect(setMode()).toBe(true);
  });

  test("hears what it cost after it said that it is done", async () => {
    const cost = { sessionUpdate: "usage_update", used: 10, size: 100, cost: { amount: 0.0123, currency: "USD" } };
    const { result, progress } = await run(
      {
        prompt: [say("done")],
        after: [
          { do: "sleep", ms: 150 },
          { do: "update", update: cost },
        ],
      },
      { preset: { usageComesLate: true } },
    );
    expect(result).toMatchObject({ kind: "ended", summary: "done" });
    expect(result.usage).toBeUndefined();
    expect(progress).toContain("says that it cost 0.0123 USD");
  });

  test("an agent that is cancelled and says what it used until then is listened to", async () => {
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 600);
    const script: FakeScript = { prompt: [say("working"), { do: "until-cancelled" }], result: { stopReason: "cancelled", usage } };
    const { result } = await run(script, { signal: cancel.signal });
    expect(result).toEqual({ kind: "aborted", reported: { calls: 1, inputTokens: 11, cachedInputTokens: 5, outputTokens: 7 } });
  });

  test.for([
    ["refusal", "agent", "refused"],
    ["max_tokens", "agent", "most tokens"],
    ["max_turn_requests", "agent", "calls of the model"],
    ["cancelled", "agent", "by itself"],
    ["of_tomorrow", "agent", "of_tomorrow"],
  ])("a turn that stops with %s has failed", async ([stopReason, because, words]) => {
    const { result } = await run({ prompt: [say("I would rather not.")], result: { stopReason } });
    expect(result).toMatchObject({ kind: "failed", because, message: expect.stringContaining(words ?? "") });
    expect(result).toMatchObject({ message: expect.stringContaining("I would rather not.") });
  });

  const budget = "The budget run:r1 cannot carry this call: it may cost up to $0.02";
  test.for([
    [{ code: -32603, message: "Internal error", data: { details: "401 no such key" } }, "provider"],
    [{ code: -32000, message: "Authentication required" }, "provider"],
    [{ code: -32603, message: "Internal error", data: { details: `402 ${budget}` } }, "budget"],
    [{ code: -32603, message: "Internal error", data: { details: "Cannot read properties of undefined" } }, "agent"],
  ] as const)("an error for an answer has its true kind: %j", async ([promptError, because]) => {
    expect((await run({ prompt: [], promptError })).result).toMatchObject({ kind: "failed", because });
  });

  // As qwen, codex and copilot word them.
  test.for([
    ["API Error: 401 no such key", "provider"],
    [`unexpected status 402 Payment Required: ${budget}, url: http://127.0.0.1/v1/responses`, "budget"],
    [
      "Info: Request failed due to a transient API error. Retrying...Error: Authentication failed with provider at http://x (HTTP 401).",
      "provider",
    ],
  ])("an agent that says it is done with an error for its message has failed: %s", async ([text, because]) => {
    expect((await run({ prompt: [say(text ?? "")] })).result).toMatchObject({ kind: "failed", because, message: text });
  });

  test("a message that only speaks of errors is no failure", async () => {
    const { result } = await run({ prompt: [say("I made the client retry on API Error: 401 and 500; all tests pass.")] });
    expect(result.kind).toBe("ended");
  });

  test("a model that could not be reached, said in codex's way, is a provider's failure", async () => {
    const status = { sessionUpdate: "session_info_update", _meta: { codex: { threadStatus: { type: "systemError" } } } };
    const { result } = await run({ prompt: [{ do: "update", update: status }, say("We're experiencing high demand.")] });
    expect(result).toMatchObject({ kind: "failed", because: "provider", message: "We're experiencing high demand." });
  });

  test("an agent that exits before it answers has crashed, whatever its code, with its last words", async () => {
    const { result } = await run({
      prompt: [
        { do: "stderr", text: "out of ideas" },
        { do: "sleep", ms: 50 },
        { do: "exit", code: 0 },
      ],
    });
    expect(result).toMatchObject({ kind: "failed", because: "crash", message: expect.stringContaining("out of ideas") });
  });

  test("a program that speaks no ACP is told from an agent that crashes", async () => {
    const { result } = await run({ prompt: [] }, { command: ["sh", "-c", "echo Usage: agent [options]; exit 0"] });
    expect(result).toMatchObject({ kind: "failed", because: "crash", message: expect.stringContaining("speak ACP") });
  });

  test("a program that is not installed is a matter of the setup, and says how to get it", async () => {
    const { result } = await run({ prompt: [] }, { command: ["no-such-agent"] });
    expect(result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("no-such-agent") });
  });

  test("another version of the protocol is refused by name", async () => {
    const { result } = await run({ initialize: { protocolVersion: 2 }, prompt: [] });
    expect(result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("version 2 of ACP") });
  });

  test.for([
    ["session/resume", { sessionCapabilities: { resume: {} } }],
    ["session/load", { loadSession: true }],
  ] as const)("takes an earlier session up by %s, and what it is told of the past is not progress", async ([, agentCapabilities]) => {
    const script: FakeScript = { initialize: { agentCapabilities }, prompt: [say("on it")] };
    const { result, progress } = await run(script, { resume: "s-old" });
    expect(result).toEqual({ kind: "ended", summary: "on it", session: "s-old" });
    expect(progress).toEqual([]);
    const lost = await run(script, { resume: "s-lost" });
    expect(lost.result).toMatchObject({ kind: "ended", session: "s-1" });
    expect(lost.progress).toEqual(["starts anew: Resource not found"]);
  });

  test("an agent without memory starts anew, and no session is told", async () => {
    const { result, progress } = await run({ prompt: [say("hello")] }, { resume: "s-old" });
    expect(result).toEqual({ kind: "ended", summary: "hello" });
    expect(progress).toEqual(["starts anew: the agent cannot take sessions up"]);
  });

  test("a mode of credentials that the agent does not have, and a model that is missing, are said before it is started", async () => {
    const way = await run({ prompt: [] }, { credentials: "pass-through" });
    expect(way.result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("credentials: pass-through") });
    const model = await run({ prompt: [] }, { withoutGateway: true });
    expect(model.result).toMatchObject({ kind: "failed", because: "setup", message: expect.stringContaining("no gateway") });
    expect((await run({ prompt: [say("hi")] }, { withoutGateway: true, credentials: "direct" })).result).toMatchObject({ kind: "ended" });
  });

  test("preflight tells a program that is missing, one that asks for a login, and one that is ready", async () => {
    const host = createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text });
    const ask = (command: [string, ...string[]]) =>
      createAcpExecutor({ preset, command }).preflight({
        host,
        env: { PATH: process.env["PATH"] ?? "" },
        scratch: folder,
        signal: new AbortController().signal,
        gateway,
      });
    const file = join(folder, "script.json");
    expect(await ask(["no-such-agent"])).toMatchObject({
      ok: false,
      problem: expect.stringContaining("no-such-agent"),
      hint: expect.stringContaining(custom.install),
    });
    expect(await ask(fakeAgent(file, { prompt: [] }))).toEqual({ ok: true, detail: "fake 1 starts" });
    const newError = { code: -32000, message: "Authentication required" };
    expect(await ask(fakeAgent(file, { newError, prompt: [] }))).toMatchObject({ ok: false, hint: expect.stringContaining("Log in") });
  });
});
