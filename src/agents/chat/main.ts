/** The chat agent's process: a ChatTask as one line on stdin, ChatMessages on stdout, the last one says how it ended. */
import { createInterface } from "node:readline";
import { checkGateway } from "./check.ts";
import { runLoop, type LoopEnd } from "./loop.ts";
import { ChatTask, cut, type ChatMessage } from "./protocol.ts";
import { createToolset } from "./tools/toolset.ts";
import { Tree } from "./tools/tree.ts";

/** What the host gave this process, and so what its commands get. */
// oxlint-disable-next-line node/no-process-env -- the entry of a process is where its environment is read
const environment = process.env;

const encode = (message: ChatMessage): string => `${JSON.stringify(message)}\n`;

/** Nobody reads any more: the engine died. Going on would only spend. */
process.stdout.on("error", () => process.exit(1));

async function work(): Promise<LoopEnd> {
  const task = ChatTask.parse(JSON.parse(await firstLine()));
  const { gateway } = task;
  const tree = new Tree(task.tree);
  let reason: string | undefined;
  const tools = createToolset({
    tree,
    env: withoutKey(environment, gateway?.key),
    onGiveUp: (why) => (reason = why),
  });
  if (task.mode === "check") return checkGateway(gateway);
  if (!gateway) return { type: "failed", because: "internal", message: "the chat agent needs a model, and no gateway was given" };
  return runLoop({
    gateway,
    prompt: task.prompt,
    tools,
    maxTurns: task.maxTurns,
    maxRetries: task.maxRetries,
    reconnectMs: task.reconnectMs,
    givenUp: () => reason,
    send: (message) => void process.stdout.write(encode(message)),
  });
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdin.destroy();
    return line;
  }
  throw new Error("no task on stdin");
}

/** The key came by stdin. Should a caller have put it into the environment all the same, commands do not see it. */
function withoutKey(env: NodeJS.ProcessEnv, key: string | undefined): NodeJS.ProcessEnv {
  if (!key) return env;
  return Object.fromEntries(Object.entries(env).filter(([, value]) => !value?.includes(key)));
}

(globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;

const end = await work().catch((error: unknown): LoopEnd => ({ type: "failed", because: "internal", message: cut(String(error), 2000) }));
// Background children of a command keep their pipes open: leave without waiting for them. The host ends them.
process.stdout.write(encode(end), () => process.exit(end.type === "done" ? 0 : 1));
