import { statSync } from "node:fs";
import { join } from "node:path";
import type { AttemptTask, ExecutionContext, ExecutionResult, Executor } from "../contract.ts";
import { applyFiles } from "../function/answer-files.ts";
import { openNotes, type Notes } from "../function/notes.ts";
import { bundleOf, defaultBundleLimits, type BundleLimits } from "./bundle.ts";
import type { RemoteOutcome, RemoteRequest } from "./contract.ts";
import { openEndpoint, type Endpoint, type EndpointOptions } from "./endpoint.ts";
import { httpFailure, thrownFailure } from "./failure.ts";

export interface HttpExecutorOptions extends EndpointOptions {
  /** `a2a`: Agent2Agent 1.0, `url` is where its card is. `post`: the plain contract of openapi.json. */
  protocol: "a2a" | "post";
  /** Takes secrets out of what is kept in the transcript; the token is taken out in any case. */
  mask?: ((text: string) => string) | undefined;
  /** Most bytes of its answers in one attempt. Default 32 MiB. */
  answerBytes?: number | undefined;
  /** What is sent along of the workspace. */
  bundle?: Partial<BundleLimits> | undefined;
}

const PREFLIGHT_MS = 15_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * An agent elsewhere, reached over HTTP. It has no access to the workspace: it is sent the list of files and the text of those that
 * the step `touches` (a bounded bundle), and hands files back, which are written within the workspace only.
 */
export function createHttpExecutor(options: HttpExecutorOptions): Executor {
  const { answerBytes = 32 * 1024 * 1024, token } = options;
  const hide = options.mask ?? ((text: string) => text);
  const mask = (text: string): string => hide(token === undefined || token === "" ? text : text.replaceAll(token, "***"));
  const limits = { ...defaultBundleLimits, ...options.bundle };

  return {
    kind: "http",
    needsWorkspace: true,

    async preflight({ scratch, signal }) {
      const notes = openNotes({ transcript: join(scratch, "preflight.ndjson"), progress: () => {} }, mask);
      try {
        const opened = openEndpoint(options, answerBytes);
        if (!opened.ok) return opened;
        const reached = await reach(opened.endpoint, options.protocol, AbortSignal.any([signal, AbortSignal.timeout(PREFLIGHT_MS)]));
        notes.write(reached.ok ? reached.detail : reached.problem);
        if (reached.ok) return { ok: true, detail: mask(reached.detail) };
        return { ok: false, problem: mask(reached.problem), hint: "Check its url, its protocol and its token, and that it runs." };
      } finally {
        await notes.close();
      }
    },

    async execute(task, context) {
      const { workspace } = context;
      if (!workspace) return { kind: "failed", because: "internal", message: `${task.attempt} has no workspace for the answer` };
      if (!statSync(workspace.tree, { throwIfNoEntry: false })?.isDirectory())
        return { kind: "failed", because: "setup", message: `the workspace ${workspace.tree} is not a folder` };
      const opened = openEndpoint(options, answerBytes);
      if (!opened.ok) return { kind: "failed", because: "setup", message: `${opened.problem}. ${opened.hint}` };
      const notes = openNotes(context, mask);
      try {
        const result = await attempt(opened.endpoint, options.protocol, task, context, workspace.tree, limits, notes);
        const shown = masked(result, mask);
        notes.write(shown.kind === "ended" ? shown.summary : shown.kind === "failed" ? `failed: ${shown.message}` : "aborted");
        return shown;
      } finally {
        await notes.close();
      }
    },
  };
}

async function attempt(
  endpoint: Endpoint,
  protocol: HttpExecutorOptions["protocol"],
  task: AttemptTask,
  context: ExecutionContext,
  tree: string,
  limits: BundleLimits,
  notes: Notes,
): Promise<ExecutionResult> {
  if (context.signal.aborted) return { kind: "aborted" };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error("the deadline")), Math.min(context.deadlineMs, LONGEST_TIMER));
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  try {
    const request: RemoteRequest = {
      version: 1,
      attempt: task.attempt,
      step: task.step.path,
      prompt: task.prompt,
      feedback: [...task.feedback],
      files: bundleOf(tree, task.step.touches, limits),
      deadlineMs: context.deadlineMs,
    };
    const { contents, list, omitted } = request.files;
    const left = omitted.length > 0 ? `, ${omitted.length} left out` : "";
    notes.progress(`send ${contents.length} files and ${list.length} names to ${endpoint.url.origin}${left}`);
    const outcome = await outcomeOf(endpoint, protocol, request, signal, notes);
    if (context.signal.aborted) return { kind: "aborted" };
    if (deadline.signal.aborted)
      return {
        kind: "failed",
        because: "timeout",
        message: `the remote agent was not done after ${Math.round(context.deadlineMs / 1000)} s`,
      };
    return accept(outcome, tree, notes);
  } finally {
    clearTimeout(timer);
  }
}

async function outcomeOf(
  endpoint: Endpoint,
  protocol: HttpExecutorOptions["protocol"],
  request: RemoteRequest,
  signal: AbortSignal,
  notes: Notes,
): Promise<RemoteOutcome> {
  const listen = { signal, progress: (text: string) => notes.progress(text) };
  try {
    // Loaded when it is needed: the library for A2A takes a tenth of a second.
    if (protocol === "post") return await (await import("./post.ts")).post(endpoint, request, listen);
    const { connectA2a, runTask } = await import("./a2a.ts");
    const connected = await connectA2a(endpoint, signal);
    if (!connected.ok) return { kind: "failed", because: "setup", message: connected.problem };
    return await runTask(connected.client, request, listen);
  } catch (error) {
    if (endpoint.isOverfull)
      return { kind: "failed", because: "agent", message: "the remote agent wrote more output than is taken: its answer was refused" };
    return thrownFailure(error, endpoint.url.origin, endpoint.lastStatus);
  }
}

function accept(outcome: RemoteOutcome, tree: string, notes: Notes): ExecutionResult {
  const reported = outcome.usage ? { reported: outcome.usage } : {};
  if (outcome.kind === "failed") return { kind: "failed", because: outcome.because, message: outcome.message, ...reported };
  const applied = applyFiles(tree, outcome.files);
  if (!applied.ok) return { kind: "failed", because: "agent", message: applied.message, ...reported };
  applied.changes.forEach((change) => notes.progress(change));
  return { kind: "ended", summary: outcome.summary, ...reported };
}

function masked(result: ExecutionResult, mask: (text: string) => string): ExecutionResult {
  if (result.kind === "ended") return { ...result, summary: mask(result.summary) };
  return result.kind === "failed" ? { ...result, message: mask(result.message) } : result;
}

/** Whether somebody answers there; nothing is asked of the agent itself. */
async function reach(
  endpoint: Endpoint,
  protocol: HttpExecutorOptions["protocol"],
  signal: AbortSignal,
): Promise<{ ok: true; detail: string } | { ok: false; problem: string }> {
  try {
    if (protocol === "a2a") {
      const connected = await (await import("./a2a.ts")).connectA2a(endpoint, signal);
      return connected.ok ? { ok: true, detail: `${connected.name} answers with its card` } : connected;
    }
    const response = await endpoint.fetch(endpoint.url, { method: "GET", signal });
    await response.text();
    const { status } = response;
    if (status === 401 || status === 403 || status >= 500 || (status >= 300 && status < 400))
      return { ok: false, problem: httpFailure(status, "").message };
    return { ok: true, detail: `${endpoint.url.origin} answers HTTP ${status}` };
  } catch (error) {
    return { ok: false, problem: thrownFailure(error, endpoint.url.origin, endpoint.lastStatus).message };
  }
}
