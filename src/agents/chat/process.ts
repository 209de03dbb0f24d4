import { createInterface } from "node:readline";
import { checkGateway } from "./check.ts";
import { runLoop, type LoopEnd } from "./loop.ts";
import { Incoming } from "./incoming.ts";
import { ChatTask, cut, type ChatMessage } from "./protocol.ts";
import { runTextLoop } from "./text-loop.ts";
import type { ReadReply } from "./text-edits.ts";
import { createRunTools } from "./tools/run-tools.ts";
import { createToolset } from "./tools/toolset.ts";
import { Tree } from "./tools/tree.ts";

export interface ChatProcessOptions {
  /** What the host gave this process, and so what its commands get. */
  environment: NodeJS.ProcessEnv;
  /** Reads the replies of models without tool calls. Absent: such a task fails by name. */
  readReply?: ReadReply;
}

const encode = (message: ChatMessage): string => `${JSON.stringify(message)}\n`;

/** The chat agent's process: a ChatTask as one line on stdin, ChatMessages on stdout, the last one says how it ended. Ends the process. */
export async function runChatProcess(options: ChatProcessOptions): Promise<void> {
  /** Nobody reads any more: the engine died. Going on would only spend. */
  process.stdout.on("error", () => process.exit(1));
  (globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;
  const end = await work(options).catch((error: unknown): LoopEnd => ({
    type: "failed",
    because: "internal",
    message: cut(String(error), 2000),
  }));
  // Background children of a command keep their pipes open: leave without waiting for them. The host ends them.
  process.stdout.write(encode(end), () => process.exit(end.type === "done" ? 0 : 1));
}

async function work({ environment, readReply }: ChatProcessOptions): Promise<LoopEnd> {
  const incoming = new Incoming();
  const task = ChatTask.parse(JSON.parse(await firstLine(incoming)));
  const { gateway } = task;
  const tree = new Tree(task.tree);
  if (!task.tools && !readReply) return internal("a chat agent without tools is not supported by this process");
  if (task.mode === "check") return checkGateway(gateway);
  if (!gateway) return internal("the chat agent needs a model, and no gateway was given");
  const { prompt, maxTurns, maxRetries, reconnectMs } = task;
  const send = (message: ChatMessage): void => void process.stdout.write(encode(message));
  const common = { gateway, prompt, maxTurns, maxRetries, reconnectMs, send, incoming };
  if (!task.tools && readReply) return runTextLoop({ ...common, tree, readReply });
  let reason: string | undefined;
  const own = createToolset({ tree, env: withoutKey(environment, gateway.key), onGiveUp: (why) => (reason = why) });
  const tools = task.mcp === undefined ? own : { ...own, ...createRunTools({ url: task.mcp, reconnectMs }) };
  return runLoop({ ...common, tools, givenUp: () => reason });
}

const internal = (message: string): LoopEnd => ({ type: "failed", because: "internal", message });

/** The task. What follows it goes to `incoming`, and is read as soon as it comes: nothing of it stays in the pipe. */
function firstLine(incoming: Incoming): Promise<string> {
  return new Promise((resolve, reject) => {
    let isFirst = true;
    const lines = createInterface({ input: process.stdin });
    lines.on("line", (line) => {
      if (!isFirst) return incoming.push(line);
      isFirst = false;
      resolve(line);
    });
    lines.on("close", () => reject(new Error("no task on stdin")));
  });
}

/** The key came by stdin. Should a caller have put it into the environment all the same, commands do not see it. */
function withoutKey(env: NodeJS.ProcessEnv, key: string): NodeJS.ProcessEnv {
  if (!key) return env;
  return Object.fromEntries(Object.entries(env).filter(([, value]) => !value?.includes(key)));
}
