import { tool, type ToolSet } from "ai";
import { z } from "zod";
import { runCommand } from "./command.ts";
import { editText, readRange, writeText } from "./files.ts";
import { listFiles } from "./list.ts";
import { Refused } from "./refused.ts";
import { search } from "./search.ts";
import type { Tree } from "./tree.ts";

const COMMAND_SECONDS = 120;
const LONGEST_COMMAND_SECONDS = 1800;

export interface ToolsetOptions {
  tree: Tree;
  /** The environment of commands. No key is in it. */
  env: NodeJS.ProcessEnv;
  onGiveUp(reason: string): void;
}

const path = z.string().describe("Relative to the top of the work tree");

/** Every tool answers in words, also when it refuses or fails: the model reads it and goes on. */
export function createToolset({ tree, env, onGiveUp }: ToolsetOptions): ToolSet {
  return {
    read_file: tool({
      description: "Read a text file, or a range of its lines (counting from 1, inclusive).",
      inputSchema: z.object({ path, from_line: z.number().int().min(1).optional(), to_line: z.number().int().min(1).optional() }),
      execute: ({ path, from_line, to_line }) => answer(() => readRange(tree, path, from_line, to_line)),
    }),
    list_files: tool({
      description: "List the files below a folder. node_modules and .git are left out.",
      inputSchema: z.object({ path: path.default("."), glob: z.string().optional().describe("Such as *.ts or src/**/*.test.ts") }),
      execute: ({ path, glob }) => answer(() => listFiles(tree, path, glob)),
    }),
    search: tool({
      description: "Search the text of files. Answers path:line:text.",
      inputSchema: z.object({
        pattern: z.string(),
        regex: z.boolean().default(false).describe("The pattern is a regular expression; otherwise it is literal"),
        path: path.default("."),
        glob: z.string().optional().describe("Only files that match, such as *.ts"),
      }),
      execute: ({ pattern, regex, path, glob }) => answer(() => search(tree, { pattern, isRegex: regex, path, glob })),
    }),
    edit_file: tool({
      description: "Replace one piece of a text file. old_text must stand there exactly once, spaces included.",
      inputSchema: z.object({ path, old_text: z.string(), new_text: z.string() }),
      execute: ({ path, old_text, new_text }) => answer(() => editText(tree, path, old_text, new_text)),
    }),
    write_file: tool({
      description: "Write a whole file; folders above it are made. Replaces what is there.",
      inputSchema: z.object({ path, content: z.string() }),
      execute: ({ path, content }) => answer(() => writeText(tree, path, content)),
    }),
    run_command: tool({
      description: `Run a shell command at the top of the work tree. Answers its exit code and output, long output cut. Stopped after timeout_seconds (default ${COMMAND_SECONDS}).`,
      inputSchema: z.object({
        command: z.string(),
        timeout_seconds: z.number().min(1).max(LONGEST_COMMAND_SECONDS).default(COMMAND_SECONDS),
      }),
      execute: ({ command, timeout_seconds }) =>
        answer(() => {
          if (command.includes("\0")) throw new Refused("the command holds a NUL byte");
          return runCommand({ command, cwd: tree.root, env, timeoutMs: timeout_seconds * 1000 });
        }),
    }),
    give_up: tool({
      description: "End without a result: the task cannot be done. Say why.",
      inputSchema: z.object({ reason: z.string() }),
      execute: ({ reason }) => {
        onGiveUp(reason);
        return "noted";
      },
    }),
  };
}

async function answer(work: () => string | Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return `Refused: ${error.message}`;
    // The descriptor a file was reached through says nothing to a model.
    return `Error: ${(error as Error).message.replaceAll(/\/proc\/self\/fd\/\d+\//g, "")}`;
  }
}

/** A tool call in a few words, for people. */
export function labelOf(name: string, input: unknown): string {
  const of = (key: string): string => {
    const value = input !== null && typeof input === "object" ? (input as Record<string, unknown>)[key] : undefined;
    const text = typeof value === "string" ? value.replaceAll(/\s+/g, " ").trim() : "";
    return text.length > 120 ? `${text.slice(0, 120)}...` : text;
  };
  switch (name) {
    case "read_file":
      return `read ${of("path")}`;
    case "list_files":
      return `list ${of("path") || "."}`;
    case "search":
      return `search ${of("pattern")}`;
    case "edit_file":
      return `edit ${of("path")}`;
    case "write_file":
      return `write ${of("path")}`;
    case "run_command":
      return `run ${of("command")}`;
    case "ask":
      return `ask people: ${of("question")}`;
    case "report":
      return `report: ${of("text")}`;
    case "blackboard_get":
      return `look up ${of("key") || of("prefix") || "all"} on the blackboard`;
    case "blackboard_put":
      return `share ${of("key")} on the blackboard`;
    case "give_up":
      return `give up: ${of("reason")}`;
    default:
      return name;
  }
}
