// A scripted ACP agent, for what no real one does on demand: crashes, broken lines, floods, usage that comes late. It asks no
// model. Usage: node fake-acp-agent.mjs SCRIPT.json, where the script is { "initialize"?: {...}, "prompt": [act, ...] }.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const script = JSON.parse(readFileSync(process.argv[2], "utf8"));
const answers = new Map();
const cancelled = Promise.withResolvers();
let cwd = process.cwd();
let asked = 0;
let prompted = 0;

const raw = (text) => new Promise((resolve) => process.stdout.write(text, resolve));
const send = (message) => raw(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const update = (sessionId, content) => send({ method: "session/update", params: { sessionId, update: content } });

async function act(step, sessionId, prompt) {
  switch (step.do) {
    case "say":
      return update(sessionId, { sessionUpdate: "agent_message_chunk", content: { type: "text", text: step.text } });
    case "update":
      return update(sessionId, step.update);
    case "write": {
      const path = join(cwd, step.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.content);
      // As gemini and qwen: an update of a call that was never announced.
      return update(sessionId, {
        sessionUpdate: "tool_call_update",
        toolCallId: "w",
        kind: "edit",
        status: "completed",
        locations: [{ path }],
      });
    }
    case "ask": {
      const id = `ask-${asked++}`;
      const answer = new Promise((resolve) => answers.set(id, resolve));
      await send({ id, method: "session/request_permission", params: { sessionId, toolCall: step.toolCall, options: step.options } });
      const { result, error } = await answer;
      const chosen = step.options.find((option) => option.optionId === result?.outcome.optionId);
      if (step.thenWrite && chosen?.kind.startsWith("allow")) writeFileSync(join(cwd, step.thenWrite.path), step.thenWrite.content);
      return update(sessionId, {
        sessionUpdate: "agent_message_chunk",
        content: { type: "text", text: JSON.stringify(result?.outcome ?? error) },
      });
    }
    case "raw":
      return raw(step.text);
    case "big":
      return update(sessionId, {
        sessionUpdate: "tool_call",
        toolCallId: "big",
        title: "big",
        kind: "edit",
        locations: [{ path: join(cwd, "big.txt") }],
        content: [{ type: "diff", path: join(cwd, "big.txt"), newText: "é line of text\n".repeat(step.lines) }],
      });
    case "stderr":
      return void process.stderr.write(`${step.text}\n`);
    case "note-prompt":
      return appendFileSync(step.file, `${JSON.stringify(prompt)}\n`);
    case "crash":
      return void process.kill(process.pid, "SIGKILL");
    case "exit":
      return process.exit(step.code);
    case "flood":
      for (;;) await update(sessionId, { sessionUpdate: "agent_thought_chunk", content: { type: "text", text: "and on ".repeat(200) } });
    case "child":
      return void spawn("sh", ["-c", step.command], { stdio: "ignore", detached: step.detached ?? false });
    case "until-file":
      while (!existsSync(step.file)) await sleep(20);
      return undefined;
    case "sleep":
      return sleep(step.ms);
    // Answers session/cancel as the protocol wants it, with what it used until then.
    case "until-cancelled":
      return cancelled.promise;
    // Nothing but KILL ends it.
    case "stubborn":
      for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => {});
      return new Promise(() => setInterval(() => {}, 1000));
    default:
      throw new Error(`no act ${step.do}`);
  }
}

async function answer({ id, method, params }) {
  switch (method) {
    case "initialize":
      return send({
        id,
        result: { protocolVersion: 1, agentInfo: { name: "fake", version: "1" }, agentCapabilities: {}, ...script.initialize },
      });
    case "session/new":
      if (script.newError) return send({ id, error: script.newError });
      ({ cwd } = params);
      return send({ id, result: { sessionId: "s-1", ...script.session } });
    case "session/load":
    case "session/resume":
      if (params.sessionId !== "s-old") return send({ id, error: { code: -32002, message: "Resource not found" } });
      ({ cwd } = params);
      if (method === "session/load")
        await update("s-old", { sessionUpdate: "tool_call", toolCallId: "old", title: "a call of the past", kind: "other" });
      return send({ id, result: script.session ?? {} });
    case "session/set_mode":
      return send({ id, result: {} });
    case "session/prompt": {
      const { sessionId, prompt } = params;
      prompted += 1;
      for (const step of (prompted > 1 && script.again) || script.prompt) await act(step, sessionId, prompt[0].text);
      if (script.promptError) return send({ id, error: script.promptError });
      await send({ id, result: { stopReason: "end_turn", ...script.result } });
      for (const step of script.after ?? []) await act(step, sessionId);
      return undefined;
    }
    case "session/cancel":
      return cancelled.resolve();
    default:
      return send({ id, error: { code: -32601, message: `no method ${method}` } });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.method) void answer(message);
  else answers.get(message.id)?.(message);
}
