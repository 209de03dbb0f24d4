import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stepBase, type Arranged, type Behaviour, type BehaviourDriver, type TalkBehaviour } from "../../src/agents/conformance.ts";
import { createAcpExecutor, createCliExecutor, presets, type Executor } from "../../src/agents/index.ts";
import {
  connectGateway,
  startScriptedModel,
  type GatewayClient,
  type KeyUsage,
  type OpenKey,
  type ScriptedAnswer,
  type ScriptedModel,
  type ScriptFunction,
} from "../../src/models/index.ts";
import { programOf, TRANSCRIPT_LIMIT_BYTES, type RealAgent, type ToolUse } from "./catalogue.ts";

const clock = { now: () => Date.now() };
const usage = { promptTokens: 11, cachedTokens: 5, completionTokens: 7 };
const price = { input: 1_000_000, cachedInput: 500_000, output: 2_000_000, source: "configured" } as const;

/** A real agent, the real gateway with our key (metered), and a scripted model behind it. */
export interface RealScene extends BehaviourDriver, AsyncDisposable {
  model: ScriptedModel;
  gateway: GatewayClient;
  /** The scripted model's answers from now on. */
  script(answer: ScriptFunction): void;
  openKey(): Promise<OpenKey>;
  closeKey(key: string): Promise<KeyUsage>;
  agent: RealAgent;
}

export async function realScene(agent: RealAgent): Promise<RealScene> {
  const home = await mkdtemp(join(tmpdir(), "stepfall-real-"));
  let answer: ScriptFunction = () => undefined;
  const model = await startScriptedModel({ script: (request) => answer(request), apiKey: "upstream-key" });
  const gateway = await connectGateway({ home, clock });
  const opened: string[] = [];
  let attempts = 0;
  let lastBody = "";

  const openKey = async (): Promise<OpenKey> => {
    const open = await gateway.openKey({
      runId: "real",
      attempt: `real/${agent.preset}#${(attempts += 1)}`,
      agent: agent.preset,
      tier: "free",
      upstreams: [
        {
          provider: "scripted",
          baseUrl: model.baseUrl,
          bases: { chat: model.baseUrl, responses: model.baseUrl, messages: model.baseUrl, gemini: `${model.origin}/v1beta` },
          apiKey: "upstream-key",
          model: "scripted",
          price,
        },
      ],
      budgets: [],
      maxOutputTokens: 32_000,
    });
    opened.push(open.key);
    return open;
  };
  const script = (next: ScriptFunction): void => {
    answer = (request) => {
      // Titles, checks of a small model: nothing that the attempt is about.
      if (request.tools.length === 0) return { text: "ok", usage };
      lastBody = JSON.stringify(request.body);
      return next(request);
    };
  };
  const arranged = async (next: ScriptFunction, prompt = "Add the file src/sum.js."): Promise<Arranged> => {
    script(next);
    const { url, key, model: name } = await openKey();
    return { step: { ...stepBase, kind: "agent", prompt, agent: { capability: [] } }, prompt, gateway: { url, key, model: name } };
  };

  return {
    agent,
    model,
    gateway,
    script,
    openKey,
    closeKey: (key) => gateway.closeKey(key),
    executor: executorFor(agent),
    reportsTokens: agent.reports,
    arrange: (behaviour) => arranged(scriptOf(agent, behaviour)),
    async arrangeTalk(behaviour) {
      const made = await arranged(talkOf(agent, behaviour), behaviour.does === "remember" ? `Keep in mind: ${behaviour.word}` : undefined);
      return behaviour.does === "ask" ? { ...made, step: { ...made.step, permissions: "ask" } } : made;
    },
    hadWord: (word) => lastBody.includes(word),
    async cleanUp() {
      await closeAll(gateway, opened.splice(0));
    },
    async [Symbol.asyncDispose]() {
      await closeAll(gateway, opened);
      const { pid } = gateway;
      await gateway.disconnect();
      await model.close();
      endQuietly(pid);
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function closeAll(gateway: GatewayClient, keys: readonly string[]): Promise<void> {
  for (const key of keys) await gateway.closeKey(key);
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ends by itself when nobody uses it.
  }
}

export function executorFor(agent: RealAgent): Executor {
  const preset = presets[agent.preset];
  const command = [programOf(agent), ...preset.argv.slice(1)] as const;
  const options = { preset, command: [command[0], ...command.slice(1)] as [string, ...string[]] };
  return preset.executor === "acp" ? createAcpExecutor(options) : createCliExecutor(options);
}

/** The workspace, as agents tell their model. */
export const treeIn = (body: unknown): string => /\/[^\s"\\]*stepfall-(?:executor|real)-\w+\/tree\b/.exec(JSON.stringify(body))?.[0] ?? "";

/** More than its transcript may hold, no two lines alike: agents stop a model that repeats itself. */
function floodFor({ transcriptLimitBytes = TRANSCRIPT_LIMIT_BYTES }: RealAgent): string {
  const lines = Array.from({ length: transcriptLimitBytes / 12 }, (_, n) => `${n.toString(36)} and ${(n * 7919) % 20_011} more`);
  return lines.join("\n");
}

/** One tool call, then a last word. */
const once =
  (use: (tree: string) => ToolUse, last = "I did it."): ScriptFunction =>
  ({ toolResults, body }): ScriptedAnswer =>
    toolResults === 0 ? { text: "Working.", toolCalls: [use(treeIn(body))], usage } : { text: last, usage };

function scriptOf(agent: RealAgent, behaviour: Behaviour): ScriptFunction {
  switch (behaviour.does) {
    case "write":
      return once((tree) => agent.write(join(tree, behaviour.path), behaviour.content));
    case "lie":
      return () => ({ text: "All done, all tests pass.", usage });
    case "fail":
      return () => ({ text: `I cannot do it: ${behaviour.reason}.`, usage });
    case "hang":
      return once(() => agent.shell(`sh -c 'while :; do sleep ${behaviour.marker}; done'`));
    case "ignore-signals":
      return once(() => agent.shell(`sh -c 'trap "" TERM INT; while :; do sleep ${behaviour.marker}; done'`));
    case "leave-children":
      return once(() =>
        agent.shell(`sh -c 'sleep ${behaviour.marker} >/dev/null 2>&1 & setsid sleep ${behaviour.marker} >/dev/null 2>&1 & sleep 0.1'`),
      );
    case "crash":
      return once(() => agent.shell(agent.killItself));
    case "flood":
      return () => ({ text: floodFor(agent), wordsPerChunk: 1000, usage });
    case "print":
      return () => ({ text: behaviour.text, wordsPerChunk: 100, usage });
    default:
      return behaviour satisfies never;
  }
}

function talkOf(agent: RealAgent, behaviour: TalkBehaviour): ScriptFunction {
  switch (behaviour.does) {
    case "ask":
      return once((tree) => (agent.ask ?? agent.write)(join(tree, behaviour.path), behaviour.content));
    case "remember":
    case "recall":
    case "listen":
      return () => ({ text: "Noted.", usage });
    default:
      return behaviour satisfies never;
  }
}
