import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { join } from "node:path";
import { root } from "./markdown.ts";

/** The launcher that documents call `stepfall`. */
export const launcher = process.env["STEPFALL_TEST_LAUNCHER"] ?? join(root, "bin", "stepfall.js");

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program without any of the environment but PATH. */
export async function stepfall(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Promise<Ended> {
  try {
    const env = { PATH: process.env["PATH"], HOME: "/nonexistent", ...options.env };
    const done = await promisify(execFile)(process.execPath, [launcher, ...args], { cwd: options.cwd ?? root, env });
    return { code: 0, ...done };
  } catch (error) {
    const failed = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof failed.code !== "number") throw error;
    return { code: failed.code, stdout: failed.stdout ?? "", stderr: failed.stderr ?? "" };
  }
}

export interface CommandHelp {
  name: string;
  flags: string[];
}

/** Every command that `--help` lists, with the flags that its own `--help` lists. */
export async function commandsByHelp(): Promise<CommandHelp[]> {
  const { stdout } = await stepfall(["--help"]);
  const part = stdout.slice(stdout.indexOf("\nCommands:"));
  const names = [...part.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map((m) => m[1] ?? "");
  return Promise.all(
    names.map(async (name) => {
      const help = (await stepfall([name, "--help"])).stdout;
      return { name, flags: flagsIn(help.slice(0, help.indexOf("Global Options:"))) };
    }),
  );
}

export const globalFlags = async (): Promise<string[]> => {
  const { stdout } = await stepfall(["--help"]);
  return flagsIn(stdout.slice(0, stdout.indexOf("\nCommands:")));
};

const flagsIn = (help: string): string[] =>
  [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm)].map((m) => m[1] ?? "").filter((f) => f !== "--help");
