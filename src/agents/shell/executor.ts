import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import type { AttemptTask, ExecutionContext, ExecutionResult, Executor, Exit, SpawnSpec } from "../contract.ts";
import { LastLines } from "../last-lines.ts";
import { toldOnce } from "../told-once.ts";

export interface ShellExecutorOptions {
  /**
   * For agent steps: a command line run by `sh -c`, e.g. `node my-agent.js`. It gets the prompt on stdin and in
   * $STEPFALL_PROMPT. Without it the executor does command steps only.
   */
  program?: string;
}

/** Linux takes at most 128 KiB for one variable; stdin has the whole prompt. */
const PROMPT_VARIABLE_BYTES = 96 * 1024;

/** Runs command steps, and agents that are a program of the user's. Exit 0 is its word that it is done. */
export function createShellExecutor(options: ShellExecutorOptions = {}): Executor {
  return {
    kind: "shell",
    needsWorkspace: true,

    async preflight({ host, env, scratch, signal }) {
      const handle = await host.spawn({
        // Unlike any other: the host ends what carries the name of an attempt, and another engine may be in its preflight.
        attempt: `preflight-${randomUUID()}`,
        role: "preflight",
        argv: ["sh", "-c", "exit 0"],
        cwd: scratch,
        env,
        deadlineMs: 10_000,
        transcript: `${scratch}/preflight.ndjson`,
      });
      const exit = await handle.settle(signal);
      if (exit.kind === "exited" && exit.code === 0) return { ok: true, detail: "sh runs" };
      return { ok: false, problem: `sh could not be run: ${describe(exit)}`, hint: "Check PATH in the agent's environment." };
    },

    async execute(task, context) {
      const spec = specFor(task, context, options);
      if (typeof spec === "string") return { kind: "failed", because: "internal", message: spec };
      const handle = await context.host.spawn(spec);
      toldOnce(handle, context.progress)(`run ${oneLine(spec.argv[2] ?? "")}`);
      const tail = new LastLines(20);
      const reading = (async () => {
        for await (const line of handle.lines()) tail.add(line.text);
      })();
      const exit = await handle.settle(context.signal);
      await reading;
      return resultOf(exit, tail, context.deadlineMs);
    },
  };
}

function specFor(task: AttemptTask, context: ExecutionContext, options: ShellExecutorOptions): SpawnSpec | string {
  const { step } = task;
  if (!context.workspace) return `${task.attempt} has no workspace to run a command in`;
  const common = {
    attempt: task.attempt,
    role: "agent",
    cwd: context.workspace.tree,
    deadlineMs: context.deadlineMs,
    transcript: context.transcript,
  };
  if (step.kind === "command") return { ...common, argv: ["sh", "-c", step.command], env: context.env };
  if (options.program === undefined) return `${task.attempt} is an agent step, and this agent has no program configured`;
  const env = { ...context.env, STEPFALL_PROMPT: cutBytes(task.prompt, PROMPT_VARIABLE_BYTES) };
  return { ...common, argv: ["sh", "-c", options.program], env, input: task.prompt };
}

function resultOf(exit: Exit, tail: LastLines, deadlineMs: number): ExecutionResult {
  const withTail = (message: string) => (tail.isEmpty ? message : `${message}. Its last output:\n${tail.text}`);
  switch (exit.kind) {
    case "exited":
      if (exit.code === 0) return { kind: "ended", summary: tail.last };
      if (signalOf(exit.code)) return { kind: "failed", because: "crash", message: withTail(`ended by ${signalOf(exit.code)}`) };
      return { kind: "failed", because: "agent", message: withTail(`exit ${exit.code}`) };
    case "signalled":
      return { kind: "failed", because: "crash", message: withTail(`ended by ${exit.signal}`) };
    case "deadline":
      return { kind: "failed", because: "timeout", message: withTail(`not done after ${Math.round(deadlineMs / 1000)} s`) };
    case "flooded":
      return { kind: "failed", because: "agent", message: "it wrote more output than a transcript may hold" };
    case "unstartable":
      return { kind: "failed", because: "setup", message: `could not be started: ${exit.message}` };
    case "aborted":
      return { kind: "aborted" };
    default:
      return exit satisfies never;
  }
}

/** sh exits 128 + n when its command was ended by signal n. Only those that end a crashing program: 129 and others are used as codes. */
const crashSignals = ["SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGSEGV", "SIGTERM"] as const;
const signalOf = (code: number): string | undefined => crashSignals.find((name) => constants.signals[name] === code - 128);

const describe = (exit: Exit): string =>
  exit.kind === "unstartable" ? exit.message : exit.kind === "exited" ? `exit ${exit.code}` : exit.kind;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim().slice(0, 120);

/** At most `bytes` of UTF-8, and no half character at the end. NUL cannot be in a variable. */
function cutBytes(text: string, bytes: number): string {
  const clean = text.replaceAll("\0", "");
  const whole = Buffer.from(clean);
  if (whole.length <= bytes) return clean;
  return whole
    .subarray(0, bytes)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
}
