import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { AttemptTask, ExecutionContext, ExecutionResult, Executor } from "../contract.ts";
import { AnswerFile, applyFiles } from "./answer-files.ts";
import { openNotes, type Notes } from "./notes.ts";

/** What a function is told besides its task. */
export interface FunctionContext extends Pick<ExecutionContext, "workspace" | "gateway" | "env"> {
  /** Aborts when the attempt is cancelled, and at its deadline. Hand it to whatever waits. */
  signal: AbortSignal;
  /** Findings of the attempt before, if any. */
  feedback: AttemptTask["feedback"];
  /** A line for people about what is going on. */
  progress(text: string): void;
}

/** Its last words, and, for a function that does not write into the workspace itself, files to write there. */
export type FunctionAnswer =
  | string
  | {
      summary: string;
      files?: readonly AnswerFile[];
      /** What it used of a model, where it knows; `inputTokens` includes cached ones. */
      usage?: { calls: number; inputTokens: number; cachedInputTokens: number; outputTokens: number };
    };

export type FunctionHandler = (task: AttemptTask, context: FunctionContext) => Promise<FunctionAnswer> | FunctionAnswer;

export interface FunctionExecutorOptions {
  /** For people. Default: the function's own name. */
  name?: string | undefined;
  /** False: the function touches no file and gets no workspace. Default true. */
  needsWorkspace?: boolean | undefined;
  /** Takes secrets out of what is kept in the transcript. */
  mask?: ((text: string) => string) | undefined;
}

/** How long a function whose signal aborted may take to clean up before the attempt ends without it. */
const LEAVE_MS = 1000;
const LONGEST_TIMER = 2 ** 31 - 1;

const count = z.number().int().nonnegative();
const Answer = z.union([
  z.string(),
  z.object({
    summary: z.string(),
    files: z.array(AnswerFile).optional(),
    usage: z.object({ calls: count, inputTokens: count, cachedInputTokens: count, outputTokens: count }).optional(),
  }),
]);

/**
 * An agent that is a function of the program which embeds Stepfall. It runs in this process: it sees this process's environment and
 * files, and nothing but its own good will ends it. At the deadline, or when it is cancelled, its signal aborts; a function that
 * takes no notice goes on, but its attempt is over and its answer is thrown away. Work that may hang belongs in a process of its
 * own: use the `shell` executor for that.
 */
export function createFunctionExecutor(handler: FunctionHandler, options: FunctionExecutorOptions = {}): Executor {
  const { needsWorkspace = true, mask = (text) => text } = options;
  const name = options.name ?? (handler.name || "function");
  return {
    kind: "function",
    needsWorkspace,

    /** Nothing is called: what a function does when it is tried is not known. */
    async preflight({ scratch }) {
      const notes = openNotes({ transcript: join(scratch, "preflight.ndjson"), progress: () => {} }, mask);
      notes.write(`${name} runs in this process`);
      await notes.close();
      return { ok: true, detail: `${name} runs in this process; it was not called` };
    },

    async execute(task, context) {
      const { workspace } = context;
      if (needsWorkspace && !workspace)
        return { kind: "failed", because: "internal", message: `${task.attempt} has no workspace for ${name} to work in` };
      if (workspace && !statSync(workspace.tree, { throwIfNoEntry: false })?.isDirectory())
        return { kind: "failed", because: "setup", message: `the workspace ${workspace.tree} is not a folder` };
      if (context.signal.aborted) return noted(context, mask, async () => ({ kind: "aborted" }));
      return noted(context, mask, (notes) => call(handler, name, task, context, notes));
    },
  };
}

async function noted(
  context: ExecutionContext,
  mask: (text: string) => string,
  use: (notes: Notes) => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  let notes;
  try {
    notes = openNotes(context, mask);
  } catch (error) {
    return { kind: "failed", because: "internal", message: (error as Error).message };
  }
  try {
    const result = await use(notes);
    notes.write(result.kind === "ended" ? result.summary : result.kind === "failed" ? `failed: ${result.message}` : "aborted");
    return result;
  } finally {
    await notes.close();
  }
}

type Outcome = { kind: "answered"; answer: unknown } | { kind: "threw"; error: unknown } | { kind: "stopped" };

async function call(
  handler: FunctionHandler,
  name: string,
  task: AttemptTask,
  context: ExecutionContext,
  notes: Notes,
): Promise<ExecutionResult> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(context.deadlineMs, LONGEST_TIMER));
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  const { workspace, gateway, env } = context;
  notes.progress(`call ${name}`);
  try {
    const called: Promise<Outcome> = (async () =>
      handler(task, {
        signal,
        env,
        feedback: task.feedback,
        progress: (text) => notes.progress(text),
        ...(workspace ? { workspace } : {}),
        ...(gateway ? { gateway } : {}),
      }))().then(
      (answer): Outcome => ({ kind: "answered", answer }),
      (error: unknown): Outcome => ({ kind: "threw", error }),
    );
    const outcome = await Promise.race([called, stopped(signal, called)]);
    if (context.signal.aborted) return { kind: "aborted" };
    if (deadline.signal.aborted)
      return { kind: "failed", because: "timeout", message: `${name} was not done after ${Math.round(context.deadlineMs / 1000)} s` };
    if (outcome.kind === "threw") return { kind: "failed", because: "agent", message: messageOf(outcome.error, name) };
    return outcome.kind === "answered" ? answered(outcome.answer, name, workspace?.tree, notes) : { kind: "aborted" };
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves some time after the signal aborted: a function that heeds it has its `finally` done by then. */
async function stopped(signal: AbortSignal, called: Promise<Outcome>): Promise<Outcome> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([called, sleep(LEAVE_MS, undefined, { ref: false })]);
  return { kind: "stopped" };
}

function answered(given: unknown, name: string, tree: string | undefined, notes: Notes): ExecutionResult {
  const parsed = Answer.safeParse(given);
  if (!parsed.success) {
    const message = `${name} answered neither a text nor { summary, files }: ${z.prettifyError(parsed.error)}`;
    return { kind: "failed", because: "agent", message };
  }
  if (typeof parsed.data === "string") return { kind: "ended", summary: parsed.data };
  const { summary, files = [], usage } = parsed.data;
  if (files.length > 0) {
    if (tree === undefined) return { kind: "failed", because: "agent", message: `${name} answered files, and has no workspace for them` };
    const applied = applyFiles(tree, files);
    if (!applied.ok) return { kind: "failed", because: "agent", message: applied.message };
    applied.changes.forEach((change) => notes.progress(change));
  }
  return { kind: "ended", summary, ...(usage ? { reported: usage } : {}) };
}

const messageOf = (error: unknown, name: string): string =>
  error instanceof Error ? error.message || `${name} threw ${error.name}` : `${name} threw ${String(error)}`;
