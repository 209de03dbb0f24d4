import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TaskState } from "@a2a-js/sdk";
import type { AgentExecutor, ExecutionEventBus, RequestContext } from "@a2a-js/sdk/server";
import type { AgentStep } from "../../domain/index.ts";
import type { ExecutionResult } from "../contract.ts";
import { applyFiles } from "../function/answer-files.ts";
import { Context, deletionPart, fileParts, readParts, textPart } from "./a2a-parts.ts";
import type { RemoteUsage } from "./contract.ts";
import { changesSince, photograph } from "./serve-changes.ts";
import { Voice } from "./serve-voice.ts";
import type { ServeAgentOptions } from "./serve.ts";

/** Names of files that are not there are told up to this many. */
const MOST_NAMES = 200;
const DEADLINE_MS = 30 * 60_000;

interface Running {
  stop: AbortController;
  over: Promise<void>;
}

/** Carries tasks out with the local agent. Every task ends in a last state on its bus, also when all goes wrong. */
export class ServedTasks implements AgentExecutor {
  readonly #options: ServeAgentOptions;
  readonly #running = new Map<string, Running>();
  #isClosed = false;
  constructor(options: ServeAgentOptions) {
    this.#options = options;
  }

  execute = async (request: RequestContext, bus: ExecutionEventBus): Promise<void> => {
    const { taskId } = request;
    const speak = new Voice(request, bus);
    speak.begin();
    if (this.#isClosed || this.#running.size >= (this.#options.slots ?? 1))
      return speak.end(
        TaskState.TASK_STATE_REJECTED,
        this.#isClosed ? "this agent is being closed" : "this agent is busy: all its slots are taken",
      );
    const stop = new AbortController();
    const over = this.#carryOut(request, speak, stop.signal);
    this.#running.set(taskId, { stop, over });
    this.#options.onEvent?.(`task ${taskId} began`);
    try {
      await over;
    } finally {
      this.#running.delete(taskId);
      this.#options.onEvent?.(`task ${taskId} is over`);
    }
  };

  /** Answers when the agent and its children are gone; its last state comes from `execute`. */
  cancelTask = async (taskId: string): Promise<void> => {
    const running = this.#running.get(taskId);
    running?.stop.abort();
    await running?.over;
  };

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running.keys()].map((taskId) => this.cancelTask(taskId)));
  }

  async #carryOut(request: RequestContext, speak: Voice, signal: AbortSignal): Promise<void> {
    let folder: string | undefined;
    try {
      folder = mkdtempSync(join(this.#options.folder, "task-"));
      await this.#work(request, speak, signal, folder);
    } catch (error) {
      speak.fail("internal", `the agent's side failed: ${(error as Error).message}`);
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #work(request: RequestContext, speak: Voice, signal: AbortSignal, folder: string): Promise<void> {
    const { executor, host, lease } = this.#options;
    const read = readParts(request.userMessage.parts);
    if (!read.ok) return speak.end(TaskState.TASK_STATE_REJECTED, read.message);
    const [tree, home, tmp] = ["tree", "home", "tmp"].map((name) => join(folder, name)) as [string, string, string];
    for (const part of [tree, home, tmp]) mkdirSync(part);
    const applied = applyFiles(tree, read.files);
    if (!applied.ok) return speak.end(TaskState.TASK_STATE_REJECTED, applied.message);
    const before = photograph(tree);
    const attempt = `served-${request.taskId}/task#1`;
    const leased = await lease(attempt);
    let result: ExecutionResult;
    try {
      const prompt = promptOf(read.text, read.data, read.files.length);
      result = await executor.execute(
        { attempt, runId: `served-${request.taskId}`, step: stepFor(prompt), prompt, feedback: [] },
        {
          host,
          workspace: { tree, home, tmp },
          env: { ...leased.env, HOME: home, TMPDIR: tmp },
          transcript: join(folder, "transcript.ndjson"),
          deadlineMs: this.#options.deadlineMs ?? DEADLINE_MS,
          signal,
          progress: (text) => speak.progress(text),
          ...(leased.gateway ? { gateway: leased.gateway } : {}),
          ...(leased.credentials ? { credentials: leased.credentials } : {}),
        },
      );
    } finally {
      await leased.release();
    }
    this.#tell(result, speak, tree, before);
  }

  #tell(result: ExecutionResult, speak: Voice, tree: string, before: ReadonlyMap<string, string>): void {
    const { usage, reported } = result;
    const used = reported ?? (usage && pick(usage));
    if (result.kind === "aborted") return speak.end(TaskState.TASK_STATE_CANCELED, "cancelled");
    if (result.kind === "failed") {
      if (used) speak.artifact("answer", [], used);
      return speak.fail(result.because, result.message);
    }
    const changes = changesSince(tree, before, this.#options.mostBytes ?? 32 * 1024 * 1024);
    if (!changes.ok) return speak.fail("agent", changes.message);
    speak.artifact("answer", [textPart(result.summary), ...changes.gone.map(deletionPart)], used);
    for (const { path, bytes } of changes.files) for (const part of fileParts(path, bytes)) speak.artifact(`file:${path}`, [part]);
    speak.end(TaskState.TASK_STATE_COMPLETED, "");
  }
}

const pick = ({ calls, inputTokens, cachedInputTokens, outputTokens }: RemoteUsage): RemoteUsage => ({
  calls,
  inputTokens,
  cachedInputTokens,
  outputTokens,
});

function promptOf(text: string, data: readonly unknown[], files: number): string {
  const context = data.map((one) => Context.safeParse(one).data?.stepfall).find((one) => one !== undefined);
  if (!context || context.list.length <= files) return text;
  const names = context.list.slice(0, MOST_NAMES).map((name) => `- ${name}`);
  const more = context.list.length > MOST_NAMES || context.truncated ? "\n- and more" : "";
  return `${text}\n\nOf the project only ${files} files are in this folder. The whole project has these:\n${names.join("\n")}${more}\n`;
}

const stepFor = (prompt: string): AgentStep => ({
  kind: "agent",
  path: "task",
  prompt,
  agent: { capability: [] },
  needs: [],
  readonly: false,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 1, backoffMs: 0 },
  timeoutMs: DEADLINE_MS,
  env: {},
  touches: [],
  priority: 0,
});
