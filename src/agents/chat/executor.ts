import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { AgentHandle, ExecutionContext, ExecutionResult, Executor, Exit, ReportedTokens, SpawnSpec } from "../contract.ts";
import { LastLines } from "../last-lines.ts";
import { toldOnce } from "../told-once.ts";
import { ChatMessage, type ChatInput, type ChatTask } from "./protocol.ts";

export interface ChatExecutorOptions {
  /** Most model calls of one attempt. Default 50. */
  maxTurns?: number;
  /** Retries of a model call after a 429 or 5xx. Default 2. */
  maxRetries?: number;
  /** False: for a model without tool calls, whose replies are read as edits of files; needs `main`. Default true. */
  tools?: boolean;
  /** The program of its processes; see ChatProcessOptions. Default: the one that has tools alone. */
  main?: string;
  /** How long a gateway that cannot be reached is waited for: another may come up at its address. Default 20 s. */
  reconnectMs?: number;
}

/** Beside this file: the source when run from source, the bundler's entry `chat-main.js` in dist. */
const ownMain = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./chat-main.js", import.meta.url));

/**
 * The agent that is built in: a tool loop with any model the gateway reaches. A process of its own, so that a hung
 * tool or a pathological pattern stalls this attempt and not the engine.
 */
export function createChatExecutor(options: ChatExecutorOptions = {}): Executor {
  const { maxTurns = 50, maxRetries = 2, reconnectMs = 20_000, tools = true, main = ownMain } = options;
  // Stdin as an open pipe: what was read from it is gone, while a finished input could be read again by the agent's
  // commands through /proc, and the key with it.
  const spec = (
    task: Omit<ChatTask, "tools" | "maxTurns" | "maxRetries" | "reconnectMs">,
  ): Pick<SpawnSpec, "argv" | "input" | "stdin"> => ({
    argv: [process.execPath, "--disable-warning=ExperimentalWarning", main],
    input: `${JSON.stringify({ ...task, tools, maxTurns, maxRetries, reconnectMs } satisfies ChatTask)}\n`,
    stdin: "open",
  });

  return {
    kind: "chat",
    needsWorkspace: true,
    ...(tools ? { runTools: "surely" } : {}),

    async preflight({ host, env, gateway, signal, scratch }) {
      const handle = await host.spawn({
        ...spec({ mode: "check", prompt: "", tree: scratch, ...(gateway ? { gateway } : {}) }),
        // Unlike any other: the host ends what carries the name of an attempt, and another engine may be in its preflight.
        attempt: `preflight-${randomUUID()}`,
        role: "preflight",
        cwd: scratch,
        env,
        deadlineMs: 30_000,
        transcript: `${scratch}/preflight.ndjson`,
      });
      const said = await follow(handle, signal, () => {});
      if (said.last?.type === "done") return { ok: true, detail: said.last.summary };
      if (said.last?.type === "failed")
        return { ok: false, problem: said.last.message, hint: "Check that the gateway runs and its provider is configured." };
      return {
        ok: false,
        problem: problemOf(said.exit, said.stderr, 30_000),
        hint: "The chat agent's process did not start: reinstall stepfall.",
      };
    },

    async execute(task, context) {
      const { workspace, gateway } = context;
      if (!workspace) return { kind: "failed", because: "internal", message: `${task.attempt} has no workspace to work in` };
      if (!gateway)
        return { kind: "failed", because: "internal", message: `${task.attempt} has no model: the chat agent works through the gateway` };
      const handle = await context.host.spawn({
        ...spec({ mode: "run", prompt: task.prompt, tree: workspace.tree, gateway, ...(context.mcp ? { mcp: context.mcp.url } : {}) }),
        attempt: task.attempt,
        role: "agent",
        cwd: workspace.tree,
        env: context.env,
        deadlineMs: context.deadlineMs,
        transcript: context.transcript,
      });
      using _messages = context.messages?.follow(({ n, by, text }) => {
        // A process that is gone has not had it, and never says that it had.
        handle.send(`${JSON.stringify({ type: "message", n, by, text } satisfies ChatInput)}\n`).catch(() => {});
      });
      const said = await follow(handle, context.signal, toldOnce(handle, context.progress), context.messages);
      const reported = said.tokens.calls > 0 ? { reported: said.tokens } : {};
      return { ...resultOf(said, context), ...reported };
    },
  };
}

interface Said {
  exit: Exit;
  last: Extract<ChatMessage, { type: "done" | "failed" }> | undefined;
  tokens: ReportedTokens;
  stderr: LastLines;
}

/** Reads what the process says until it is gone. */
async function follow(
  handle: AgentHandle,
  signal: AbortSignal,
  progress: ExecutionContext["progress"],
  messages?: ExecutionContext["messages"],
): Promise<Said> {
  const tokens: ReportedTokens = { calls: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
  const stderr = new LastLines(20);
  let last: Said["last"];
  const reading = (async () => {
    for await (const line of handle.lines()) {
      const message = line.stream === "stdout" ? parseMessage(line.text) : undefined;
      if (!message) {
        stderr.add(line.text);
        continue;
      }
      switch (message.type) {
        case "tool":
          progress(message.label);
          break;
        case "message":
          messages?.delivered(message.n);
          progress(`is told by ${message.by}: ${message.text}`);
          break;
        case "usage":
          tokens.calls += 1;
          tokens.inputTokens += message.inputTokens ?? 0;
          tokens.cachedInputTokens += message.cachedInputTokens ?? 0;
          tokens.outputTokens += message.outputTokens ?? 0;
          break;
        case "done":
        case "failed":
          last = message;
          break;
        case "text":
        case "tool-result":
          break;
        default:
          message satisfies never;
      }
    }
  })();
  const exit = await handle.settle(signal);
  await reading;
  return { exit, last, tokens, stderr };
}

function parseMessage(line: string): ChatMessage | undefined {
  try {
    return ChatMessage.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** The last message is the agent's word, and its exit must agree: a process that died after `done` did not end well. */
function resultOf({ exit, last, stderr }: Said, { deadlineMs }: ExecutionContext): ExecutionResult {
  if (exit.kind === "aborted") return { kind: "aborted" };
  const problem = problemOf(exit, stderr, deadlineMs);
  if (exit.kind === "exited" && last) {
    if (last.type === "failed") return { kind: "failed", because: last.because, message: last.message };
    if (exit.code === 0) return { kind: "ended", summary: last.summary };
  }
  if (exit.kind === "deadline") return { kind: "failed", because: "timeout", message: problem };
  if (exit.kind === "flooded") return { kind: "failed", because: "agent", message: problem };
  if (exit.kind === "unstartable") return { kind: "failed", because: "setup", message: problem };
  return { kind: "failed", because: "crash", message: problem };
}

function problemOf(exit: Exit, stderr: LastLines, deadlineMs: number): string {
  const tail = stderr.isEmpty ? "" : `. Its last output:\n${stderr.text}`;
  switch (exit.kind) {
    case "exited":
      return `the agent's process ended with exit ${exit.code} and no word of how it went${tail}`;
    case "signalled":
      return `the agent's process was ended by ${exit.signal}${tail}`;
    case "deadline":
      return `not done after ${Math.round(deadlineMs / 1000)} s`;
    case "aborted":
      return "stopped";
    case "unstartable":
      return `could not be started: ${exit.message}`;
    case "flooded":
      return "it wrote more output than a transcript may hold";
    default:
      return exit satisfies never;
  }
}
