import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isStopped } from "../../src/agents/index.ts";
import { Scene } from "../../src/cli/cli.testkit.ts";
import { startScriptedModel, type ScriptedAnswer, type ScriptedModel } from "../../src/models/index.ts";
import { openSqliteStore, type Store } from "../../src/store/index.ts";
import type { Program } from "./bundle.ts";
import { projectFiles } from "./pipeline.ts";

const upstreamKey = "sk-upstream-0123456789abcdef";
const acpAgent = [process.execPath, fileURLToPath(new URL("../agents/fake-acp-agent.mjs", import.meta.url))];

/** Where an engine stops: it kills itself, or is stopped (SIGSTOP) until somebody lets it go on. */
export interface Halt {
  side: "before" | "after";
  commit: number;
  act: "kill" | "stop";
}

export interface EngineEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface EngineProcess {
  child: ChildProcess;
  /** The run is in the journal. */
  begun: Promise<void>;
  /** It is stopped at its `Halt`; never, when it ends before. */
  halted: Promise<void>;
  readonly isHalted: boolean;
  /** Lets a stopped engine go on. */
  goOn(): void;
  ended: Promise<EngineEnd>;
}

/** What the model says, by the step it works for. */
function answerFor(prompt: string, turn: number): ScriptedAnswer | undefined {
  const file = /into (\w+\.txt)/.exec(prompt)?.[1];
  if (file === undefined) return undefined;
  const word = file !== "answer.txt" ? file.replace(".txt", "") : prompt.includes("was refused") ? "42" : "41";
  const turns: ScriptedAnswer[] = [
    { text: "I write it.", toolCalls: [{ name: "write_file", arguments: { path: file, content: `${word}\n` } }], chunkDelayMs: 10 },
    { text: `${file} is written and all of it is done now, as far as I can tell from here.`, chunkDelayMs: 10 },
  ];
  return turns[turn];
}

export const promptOf = (messages: readonly { role: string; content: string }[]): string =>
  messages.findLast((m) => m.role === "user")?.content ?? "";

/** A project, a home, and a model endpoint that survives whatever is killed, so that it knows what was really served. */
export class CrashScene implements AsyncDisposable {
  readonly scene: Scene;
  readonly model: ScriptedModel;
  readonly store: Store;
  readonly #program: Program;
  readonly #log: string;
  readonly #engines = new Set<ChildProcess>();

  private constructor(parts: { scene: Scene; model: ScriptedModel; store: Store; program: Program; log: string }) {
    this.scene = parts.scene;
    this.model = parts.model;
    this.store = parts.store;
    this.#program = parts.program;
    this.#log = parts.log;
  }

  static async make(program: Program): Promise<CrashScene> {
    const model = await startScriptedModel({
      apiKey: upstreamKey,
      script: (request) => answerFor(promptOf(request.messages), request.turn),
    });
    const scene = new Scene();
    const log = join(scene.folder, "log");
    scene.write(projectFiles({ folder: scene.project, log, model: model.baseUrl, acpAgent }));
    scene.git("add", "--all");
    scene.git("commit", "--quiet", "--message", "pipeline");
    const store = await openSqliteStore({ file: join(scene.home, "stepfall.db"), clock: { now: () => Date.now() } });
    return new CrashScene({ scene, model, store, program, log });
  }

  /** Where its records stand: what comes after belongs to the next run. */
  mark(): { served: number; ran: number; met: number } {
    return { served: this.model.served().length, ran: this.lines("ran").length, met: this.lines("met").length };
  }

  /** Lines of a log that the steps' commands write. */
  lines(kind: "ran" | "met"): string[] {
    const file = `${this.#log}.${kind}`;
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").filter(Boolean) : [];
  }

  /** Starts a run and drives it. `leaseMs`: how long its leases hold. */
  engine(runId: string, options: { halt?: Halt; leaseMs?: number } = {}): EngineProcess {
    return this.#start([this.#program.engine, JSON.stringify({ file: "crash.yaml", runId, ...options })]);
  }

  /** Goes on with a run, by the real program. */
  resume(runId: string): EngineProcess {
    return this.program("resume", runId, "--wait", "--json");
  }

  program(...args: string[]): EngineProcess {
    return this.#start([this.#program.launcher, ...args]);
  }

  #start(args: readonly string[]): EngineProcess {
    const { scene } = this;
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: scene.project,
      env: {
        PATH: process.env["PATH"],
        HOME: scene.folder,
        STEPFALL_HOME: scene.home,
        LC_ALL: "C.UTF-8",
        ...scene.sandbox,
        FAKE_KEY: upstreamKey,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#engines.add(child);
    let stdout = "";
    let stderr = "";
    const begun = Promise.withResolvers<void>();
    const halted = Promise.withResolvers<void>();
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes('{"begun"')) begun.resolve();
      if (stdout.includes('{"halted"')) halted.resolve();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<EngineEnd>((resolve) =>
      // `exit`, not `close`: what outlives the engine may hold its streams open. What it said last is still to be read.
      child.once("exit", (code, signal) =>
        setTimeout(() => {
          this.#engines.delete(child);
          begun.resolve();
          resolve({ code, signal, stdout, stderr });
        }, 20),
      ),
    );
    let isHalted = false;
    // It says so and stops itself after that: told to go on in between, it would stop for ever.
    const stopped = halted.promise.then(async () => {
      while (child.exitCode === null && child.signalCode === null && !isStopped(child.pid ?? 0)) await sleep(2);
      isHalted = true;
    });
    return {
      child,
      begun: begun.promise,
      halted: stopped,
      get isHalted() {
        return isHalted;
      },
      goOn: () => {
        isHalted = false;
        child.kill("SIGCONT");
      },
      ended,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#engines) child.kill("SIGKILL");
    await this.store.close();
    await this.model.close();
    await this.scene[Symbol.asyncDispose]();
  }
}
