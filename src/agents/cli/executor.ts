import { randomUUID } from "node:crypto";
import type { CredentialMode } from "../../domain/index.ts";
import { checkGateway } from "../chat/check.ts";
import type { AttemptTask, ExecutionContext, ExecutionResult, Executor, Exit, Preflight } from "../contract.ts";
import { goneWithoutAnswer } from "../gone.ts";
import { toldOnce } from "../told-once.ts";
import type { AgentPreset } from "../presets/contract.ts";
import { claudeDialect } from "./claude.ts";
import { codexDialect } from "./codex.ts";
import type { Dialect } from "./dialect.ts";
import { follow, type Said } from "./follow.ts";
import { prepare, type Prepared } from "./prepare.ts";

export interface CliExecutorOptions {
  /** `claude` or `codex`. */
  preset: AgentPreset;
  /** Starts it instead of the preset's `argv`: a wrapper, a path, arguments of one's own. */
  command?: readonly [string, ...string[]] | undefined;
  /** The model to ask for where no gateway names one: `direct` mode, or the provider's own name in `pass-through`. */
  model?: string | undefined;
  /** When the context does not say. Default `metered`. */
  credentials?: CredentialMode | undefined;
  /** Added to its environment, over the preset's. No secrets. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Most turns of an attempt. Claude Code only; Codex has no such limit, and preflight says so. */
  maxTurns?: number | undefined;
}

const dialects: Readonly<Record<string, Dialect>> = { claude: claudeDialect, codex: codexDialect };

/**
 * Agents driven by their own command line: a prompt on stdin, events on stdout, the last event decides. They ask nobody for leave
 * while they run, so `permissions: ask` is refused: that takes the ACP adapter of the same agent.
 */
export function createCliExecutor(options: CliExecutorOptions): Executor {
  const { preset } = options;
  const dialect = dialects[preset.id];

  return {
    kind: "cli",
    needsWorkspace: true,
    ...(preset.mcp ? { runTools: preset.mcp } : {}),

    async preflight(context) {
      if (!dialect) return noDialect(preset);
      if (preset.id === "codex" && options.maxTurns !== undefined)
        return { ok: false, problem: "codex exec has no limit of turns", hint: "Take max-turns away from this agent." };
      const [first, ...rest] = options.command ?? preset.argv;
      const handle = await context.host.spawn({
        // Unlike any other: the host ends what carries the name of an attempt, and another engine may be in its preflight.
        attempt: `preflight-${randomUUID()}`,
        role: "preflight",
        argv: [first, ...rest, ...preset.versionArgs],
        cwd: context.scratch,
        env: { ...context.env, ...options.env },
        deadlineMs: 30_000,
        transcript: `${context.scratch}/preflight.ndjson`,
      });
      const lines: string[] = [];
      const reading = (async () => {
        for await (const line of handle.lines()) if (lines.length < 20) lines.push(line.text);
      })();
      const exit = await handle.settle(context.signal);
      await reading;
      if (exit.kind !== "exited" || exit.code !== 0) {
        const problem = `${preset.name} could not be started: ${describe(exit)}${lines.length > 0 ? `: ${lines.join("\n").slice(0, 500)}` : ""}`;
        return { ok: false, problem, hint: `Install it with \`${preset.install}\`, or name its program with command:.` };
      }
      const version = lines.find((line) => line.trim() !== "") ?? preset.name;
      if (!context.gateway) return { ok: true, detail: version };
      const reached = await checkGateway(context.gateway);
      if (reached.type === "done") return { ok: true, detail: `${version}; ${reached.summary}` };
      return { ok: false, problem: reached.message, hint: "Check that the gateway runs and its provider is configured." };
    },

    async execute(task, context) {
      if (!dialect) return { kind: "failed", because: "setup", message: noDialect(preset).problem };
      const prepared = await prepare(task, context, options, dialect);
      if (prepared.kind === "failed") return prepared;
      const said = await run(prepared, task.resume, task, context, dialect);
      if (said.ending?.kind !== "no-session" || task.resume === undefined) return resultOf(said, context.deadlineMs);
      const left = context.deadlineMs - said.exit.durationMs;
      return resultOf(
        await run(prepared, undefined, task, { ...context, deadlineMs: left }, dialect, "the earlier session is gone: starting anew"),
        context.deadlineMs,
      );
    },
  };
}

async function run(
  prepared: Prepared,
  resume: string | undefined,
  task: AttemptTask,
  context: ExecutionContext,
  dialect: Dialect,
  note?: string,
): Promise<Said> {
  const { argv, env } = prepared.start(resume);
  const reader = dialect.reader({ resume, env });
  const handle = await context.host.spawn({
    attempt: task.attempt,
    role: "agent",
    argv,
    cwd: prepared.tree,
    env,
    input: task.prompt,
    deadlineMs: context.deadlineMs,
    transcript: context.transcript,
  });
  const progress = toldOnce(handle, context.progress);
  if (note !== undefined) progress(note);
  return follow(handle, reader, { signal: context.signal, progress });
}

/** The last event is the agent's word. Without one, how its process ended is all there is; an exit code alone is never success. */
function resultOf(said: Said, deadlineMs: number): ExecutionResult {
  const more = { ...(said.session === undefined ? {} : { session: said.session }), ...(said.reported ? { reported: said.reported } : {}) };
  return { ...outcomeOf(said, deadlineMs), ...more };
}

function outcomeOf({ exit, ending, tail }: Said, deadlineMs: number): ExecutionResult {
  if (exit.kind !== "exited") return goneWithoutAnswer(exit, tail, deadlineMs);
  if (ending?.kind === "no-session") return { kind: "failed", because: "agent", message: ending.message };
  if (ending?.kind === "failed" || (ending && exit.code === 0)) return ending;
  const withTail = (message: string): string => (tail === "" ? message : `${message}. Its last output:\n${tail}`);
  return {
    kind: "failed",
    because: "crash",
    message: withTail(
      ending ? `it said it was done, and then ended with exit ${exit.code}` : `it ended with exit ${exit.code} and no word of how it went`,
    ),
  };
}

const describe = (exit: Exit): string =>
  exit.kind === "unstartable" ? exit.message : exit.kind === "exited" ? `exit ${exit.code}` : exit.kind;

const noDialect = (preset: AgentPreset): Extract<Preflight, { ok: false }> => ({
  ok: false,
  problem: `${preset.name} has no command line that Stepfall can read`,
  hint: `Use executor: ${preset.executor} with it, or preset: claude or codex here.`,
});
