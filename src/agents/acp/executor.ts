import { randomUUID } from "node:crypto";
import type { Executor } from "../contract.ts";
import { CANCEL_MS, PREFLIGHT_MS, start, type AcpExecutorOptions } from "./start.ts";

export type { AcpExecutorOptions } from "./start.ts";

/**
 * Agents that speak the Agent Client Protocol (v1) on stdio. One process and one session an attempt, with one prompt and
 * a further one for each message of a person, once the turn before is over.
 * The protocol's library is loaded when the first one starts: every process of an engine would carry its 29 MB, and forking costs by size.
 */
export function createAcpExecutor(options: AcpExecutorOptions): Executor {
  const { preset } = options;
  return {
    kind: "acp",
    needsWorkspace: true,
    ...(preset.mcp ? { runTools: preset.mcp } : {}),

    async preflight(context) {
      const started = await start(
        options,
        context,
        {},
        {
          attempt: `preflight-${randomUUID()}`,
          role: "preflight",
          cwd: context.scratch,
          home: context.env["HOME"] ?? context.scratch,
          deadlineMs: PREFLIGHT_MS,
          transcript: `${context.scratch}/preflight.ndjson`,
        },
      );
      if (!started.ok) return { ok: false, problem: started.problem, hint: started.hint };
      const { preflight } = await import("./preflight.ts");
      return preflight(started.handle, context.scratch, context.signal, preset);
    },

    async execute(task, context) {
      const { workspace } = context;
      if (!workspace) return { kind: "failed", because: "internal", message: `${task.attempt} has no workspace to work in` };
      const mcp = context.mcp && preset.mcp ? { mcp: { url: context.mcp.url, folder: workspace.home } } : {};
      const isFree = (task.step.permissions ?? "allow") === "allow";
      const started = await start(
        options,
        context,
        { ...mcp, isFree },
        {
          attempt: task.attempt,
          role: "agent",
          cwd: workspace.tree,
          home: context.env["HOME"] ?? workspace.home,
          // The executor ends it at its deadline, and asks it to stop first; this is for when the executor cannot.
          deadlineMs: context.deadlineMs + 2 * (options.cancelMs ?? CANCEL_MS),
          transcript: context.transcript,
        },
      );
      if (!started.ok) return { kind: "failed", because: "setup", message: `${started.problem}. ${started.hint}` };
      const { Attempt } = await import("./attempt.ts");
      return new Attempt(started.handle, task, context, workspace.tree, { ...options, hasMcp: started.hasMcp }).run();
    },
  };
}
