import type { AttemptTask, ExecutionContext, ExecutionResult } from "../contract.ts";
import { writeSetup } from "../presets/write.ts";
import type { Dialect } from "./dialect.ts";
import type { CliExecutorOptions } from "./executor.ts";

export interface Prepared {
  kind: "prepared";
  tree: string;
  start(resume: string | undefined): { argv: [string, ...string[]]; env: Record<string, string> };
}

type Failed = Extract<ExecutionResult, { kind: "failed" }>;

/** Checks that the agent can do the step at all, and writes its settings. */
export async function prepare(
  task: AttemptTask,
  context: ExecutionContext,
  options: CliExecutorOptions,
  dialect: Dialect,
): Promise<Prepared | Failed> {
  const { preset } = options;
  const { step } = task;
  const { workspace, gateway } = context;
  const mode = context.credentials ?? options.credentials ?? "metered";
  if (!workspace) return failed("internal", `${task.attempt} has no workspace to work in`);
  if (step.kind !== "agent") return failed("internal", `${task.attempt} is a command step, which ${preset.name} does not run`);
  const permissions = step.permissions ?? "allow";
  if (permissions === "ask") {
    const sentence = `${preset.name} cannot ask for leave when it is driven by its command line, and the step says permissions: ask.`;
    return failed(
      "setup",
      `${sentence} Use its ACP adapter (executor: acp, preset: ${acpOf[preset.id] ?? preset.id}), or allow, edits or deny.`,
    );
  }
  if (!preset.modes.includes(mode)) return failed("setup", preset.unsupported ?? `${preset.name} does not work with credentials: ${mode}`);
  if (mode !== "direct" && !gateway) return failed("internal", `${task.attempt} has no model: ${mode} credentials go through the gateway`);
  const setup = preset.setup({
    mode,
    home: context.env["HOME"] ?? workspace.home,
    gateway: mode === "direct" ? undefined : gateway,
    model: mode === "metered" ? gateway?.model : (options.model ?? gateway?.model),
    ...(context.mcp && preset.mcp ? { mcp: { url: context.mcp.url, folder: workspace.home } } : {}),
    isFree: permissions === "allow",
  });
  try {
    await writeSetup(setup);
  } catch (error) {
    return failed("setup", `the settings of ${preset.name} could not be written: ${(error as Error).message}`);
  }
  const [first, ...rest] = options.command ?? preset.argv;
  return {
    kind: "prepared",
    tree: workspace.tree,
    start(resume) {
      const args = dialect.args({ permissions, resume, maxTurns: options.maxTurns });
      return {
        argv: [first, ...rest, ...setup.args, ...args],
        env: { ...context.env, ...setup.env, ...options.env },
      };
    },
  };
}

const acpOf: Readonly<Record<string, string>> = { claude: "claude-agent-acp", codex: "codex-acp" };

const failed = (because: Failed["because"], message: string): Failed => ({ kind: "failed", because, message });
