import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ability } from "../../src/agents/conformance.ts";
import type { PresetId } from "../../src/agents/index.ts";

/** A tool call that the scripted model makes. */
export interface ToolUse {
  name: string;
  arguments: Record<string, unknown>;
}

/** A real agent: where it is installed, and what its tools are called. */
export interface RealAgent {
  preset: PresetId;
  /** npm package and the program in it. */
  package: string;
  program: string;
  /** `default`: in the default test suite. `more`: in `npm run test:agents`. */
  suite: "default" | "more";
  write(path: string, content: string): ToolUse;
  shell(command: string): ToolUse;
  /** A tool call for which it asks leave, where that is another one than `write`. */
  ask?(path: string, content: string): ToolUse;
  /** The shell command that kills the agent's own process. */
  killItself: string;
  /** What the tokens of a single answer of the model, 11 in and 7 out, are in its report; `false`: it reports none. */
  reports: boolean | { inputTokens: number; outputTokens: number };
  cannot: Partial<Record<Ability, string>>;
  /** What it writes in a short session, and more. Default `TRANSCRIPT_LIMIT_BYTES`. */
  transcriptLimitBytes?: number;
}

export const TRANSCRIPT_LIMIT_BYTES = 256 * 1024;

const inWords = "it can only say so in words, and those the gates judge";
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const inShell = (path: string, content: string): string =>
  `mkdir -p "$(dirname ${quoted(path)})" && printf %s ${quoted(content)} > ${quoted(path)}`;

export const realAgents: readonly RealAgent[] = [
  {
    preset: "gemini",
    package: "@google/gemini-cli",
    program: "gemini",
    suite: "default",
    write: (path, content) => ({ name: "write_file", arguments: { file_path: path, content } }),
    shell: (command) => ({ name: "run_shell_command", arguments: { command, description: "work" } }),
    killItself: "kill -9 $PPID",
    reports: true,
    cannot: { fail: inWords, resume: "version 0.61 loads no session of an earlier process" },
  },
  {
    preset: "qwen",
    package: "@qwen-code/qwen-code",
    program: "qwen",
    suite: "default",
    write: (path, content) => ({ name: "write_file", arguments: { file_path: path, content } }),
    shell: (command) => ({ name: "run_shell_command", arguments: { command, description: "work", is_background: false } }),
    killItself: "kill -9 $PPID",
    reports: false,
    cannot: { fail: inWords },
    // It sends all its skills' texts when a session begins.
    transcriptLimitBytes: 700 * 1024,
  },
  {
    preset: "claude-agent-acp",
    package: "@agentclientprotocol/claude-agent-acp",
    program: "claude-agent-acp",
    suite: "more",
    write: (path, content) => ({ name: "Write", arguments: { file_path: path, content } }),
    shell: (command) => ({ name: "Bash", arguments: { command, description: "work" } }),
    // Its tools run below Claude Code, a child of the adapter.
    killItself: 'kill -9 "$(ps -o ppid= -p $PPID | tr -d " ")"',
    reports: true,
    cannot: { fail: inWords },
  },
  {
    preset: "codex-acp",
    package: "@agentclientprotocol/codex-acp",
    program: "codex-acp",
    suite: "more",
    write: (path, content) => ({ name: "exec_command", arguments: { cmd: inShell(path, content) } }),
    shell: (command) => ({ name: "exec_command", arguments: { cmd: command, yield_time_ms: 30_000 } }),
    ask: (path, content) => ({
      name: "exec_command",
      arguments: { cmd: inShell(path, content), sandbox_permissions: "require_escalated", justification: "to write the file" },
    }),
    killItself: "",
    reports: true,
    cannot: { fail: inWords, crash: "its sandbox keeps its tools from its own process" },
  },
  {
    preset: "opencode",
    package: "opencode-ai",
    program: "opencode",
    suite: "more",
    write: (path, content) => ({ name: "write", arguments: { filePath: path, content } }),
    shell: (command) => ({ name: "bash", arguments: { command, description: "work", timeout: 600_000 } }),
    killItself: "kill -9 $PPID",
    reports: false,
    cannot: { fail: inWords },
  },
  {
    preset: "copilot",
    package: "@github/copilot",
    program: "copilot",
    suite: "more",
    write: (path, content) => ({
      name: "bash",
      arguments: { command: inShell(path, content), description: "work", mode: "sync", initial_wait: 60 },
    }),
    shell: (command) => ({ name: "bash", arguments: { command, description: "work", mode: "sync", initial_wait: 600 } }),
    killItself: "",
    reports: true,
    cannot: { fail: inWords, crash: "its tools run below a process of their own, which it replaces" },
  },
  {
    preset: "claude",
    package: "@anthropic-ai/claude-code",
    program: "claude",
    suite: "more",
    write: (path, content) => ({ name: "Write", arguments: { file_path: path, content } }),
    shell: (command) => ({ name: "Bash", arguments: { command, description: "work" } }),
    killItself: "kill -9 $PPID",
    reports: true,
    cannot: { fail: inWords, ask: "driven by its command line it asks nobody" },
  },
  {
    preset: "codex",
    package: "@openai/codex",
    program: "codex",
    suite: "more",
    write: (path, content) => ({ name: "exec_command", arguments: { cmd: inShell(path, content) } }),
    shell: (command) => ({ name: "exec_command", arguments: { cmd: command, yield_time_ms: 30_000 } }),
    killItself: "",
    reports: true,
    cannot: { fail: inWords, ask: "driven by its command line it asks nobody", crash: "its sandbox keeps its tools from its own process" },
  },
];

const folders = { default: "./", more: "./more/" } as const;

/** The program's file; installed by scripts/installed.mjs. */
export function programOf({ suite, package: name, program }: Pick<RealAgent, "suite" | "package" | "program">): string {
  const file = join(fileURLToPath(new URL(folders[suite], import.meta.url)), "node_modules/.bin", program);
  if (!existsSync(file)) throw new Error(`${name} is not installed: run npm ${suite === "default" ? "test" : "run test:agents"}`);
  return file;
}

export function realAgent(preset: PresetId): RealAgent {
  const agent = realAgents.find((known) => known.preset === preset);
  if (!agent) throw new Error(`no real agent ${preset}`);
  return agent;
}
