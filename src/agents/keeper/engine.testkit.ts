/** Stands in for an engine that is killed: carries one attempt out on a keeper and tells on stdout what happens, a line of JSON each. */
import { join } from "node:path";
import { createAcpExecutor } from "../acp/executor.ts";
import { createChatExecutor } from "../chat/executor.ts";
import type { AttemptTask, ExecutionContext, Executor } from "../contract.ts";
import { custom } from "../presets/custom.ts";
import { createShellExecutor } from "../shell/executor.ts";
import { keeperHost, specIn } from "./keeper.testkit.ts";

export interface EngineOrder {
  folder: string;
  attempt: string;
  epoch: number;
  takeUp: boolean;
  does:
    | { kind: "shell" }
    | { kind: "chat" }
    | { kind: "acp"; command: [string, ...string[]]; /** Titles of what it says nothing to. */ undecided: readonly string[] }
    /** Spawns a script and sends `<word>-<n>` for ever. */
    | { kind: "chatter"; script: string; word: string };
  step: AttemptTask["step"];
  gateway?: ExecutionContext["gateway"];
  /** What people have said to the agent by then. */
  messages?: readonly string[];
}

export type EngineWord =
  | { said: string }
  | { asked: string }
  | { delivered: number }
  | { pid: number }
  | { result: unknown }
  | { threw: string };

const tell = (word: EngineWord): void => void process.stdout.write(`${JSON.stringify(word)}\n`);

function executorOf(does: EngineOrder["does"]): Executor {
  if (does.kind === "acp") return createAcpExecutor({ preset: custom, command: does.command, cancelMs: 200 });
  return does.kind === "chat" ? createChatExecutor() : createShellExecutor();
}

async function work({ folder, attempt, epoch, takeUp, does, step, gateway, messages = [] }: EngineOrder): Promise<void> {
  await using host = keeperHost(join(folder, "home")).forAttempt({ attempt, epoch, takeUp });
  if (does.kind === "chatter") {
    const handle = await host.spawn(specIn(folder, attempt, does.script, { stdin: "open" }));
    tell({ pid: handle.process.pid });
    for (let n = 1; ; n++) {
      await handle.send(`${does.word}-${n}\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  const result = await executorOf(does).execute(
    { attempt, runId: "run", step, prompt: "add sum", feedback: [] },
    {
      host: {
        ...host,
        spawn: async (spec) => {
          const handle = await host.spawn(spec);
          tell({ pid: handle.process.pid });
          return handle;
        },
      },
      workspace: { tree: folder, home: folder, tmp: folder },
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: folder },
      transcript: join(folder, "transcripts", "agent.ndjson"),
      deadlineMs: 30_000,
      signal: new AbortController().signal,
      ...(gateway ? { gateway } : {}),
      permit: async ({ title }) => {
        tell({ asked: title });
        if (does.kind === "acp" && does.undecided.includes(title)) await new Promise(() => {});
        return title.includes("not") ? { allow: false, because: "no" } : { allow: true };
      },
      messages: {
        follow: (take) => {
          for (const [at, text] of messages.entries()) take({ n: at + 1, by: "ann", text });
          return { [Symbol.dispose]: () => {} };
        },
        delivered: (n) => tell({ delivered: n }),
      },
      progress: (text) => tell({ said: text }),
    },
  );
  tell({ result });
}

try {
  await work(JSON.parse(process.argv[2] ?? "") as EngineOrder);
} catch (error) {
  tell({ threw: (error as { code?: string }).code ?? String(error) });
}
