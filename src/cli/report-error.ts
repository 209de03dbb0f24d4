import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Exit, type Cli } from "./cli.ts";
import { RequestError, InputProblems, isTyped } from "../setup/failure.ts";

/** Codes of other rooms that are about what the person gave us. Whatever is not here is a failure (exit 1). */
const usageCodes = [
  /^PROJECT_/,
  /^DIRTY_FILTERED$/,
  /^AGENT_(MISSING|UNKNOWN|ID_INVALID|ID_TAKEN)$/,
  /^RUN_UNKNOWN$/,
  /^GIT_(TOO_OLD|MISSING)$/,
  // What is checked out, or is not committed: a conflict is no such thing, it comes out of the work.
  /^MERGE_(DETACHED|DIRTY)$/,
  /^BRANCH_IN_USE$/,
];

/** Tells a person (or, with `--json`, a program) what went wrong. Answers the exit code. Never a stack trace, unless STEPFALL_DEBUG asks. */
export function reportError(cli: Pick<Cli, "out" | "env" | "json" | "home" | "clock">, error: unknown): number {
  const { out, env, json } = cli;
  const debug = env["STEPFALL_DEBUG"] === "1";
  if (error instanceof InputProblems) {
    out.note(error.message);
    if (json)
      out.json({ version: 1, type: "error", code: error.problems[0]?.code ?? "BAD_INPUT", message: "bad input", problems: error.problems });
    return Exit.usage;
  }
  if (isTyped(error)) {
    const { code, message, hint } = error;
    out.note(`${code}: ${sentence(message)}\n${hint}`.trimEnd());
    if (debug && error.stack) out.note(error.stack);
    if (json) out.json({ version: 1, type: "error", code, message, hint });
    if (error instanceof RequestError) return error.exitCode;
    return usageCodes.some((c) => c.test(code)) ? Exit.usage : Exit.failed;
  }
  const message = error instanceof Error ? error.message : String(error);
  const where = writeDetail(cli, error);
  out.note(`INTERNAL: ${firstLine(message)}. This is a bug in Stepfall.${where ? ` The detail is in ${where}.` : ""}`);
  if (debug && error instanceof Error && error.stack) out.note(error.stack);
  if (json) out.json({ version: 1, type: "error", code: "INTERNAL", message: firstLine(message), ...(where ? { detail: where } : {}) });
  return Exit.failed;
}

/** Appends the whole error to a log; values of the environment that look like secrets are taken out. */
export function writeDetail({ env, home, clock }: Pick<Cli, "env" | "home" | "clock">, error: unknown): string | undefined {
  const folder = home !== undefined && existsSync(home) ? home : tmpdir();
  const file = join(folder, home !== undefined && existsSync(home) ? "errors.log" : "stepfall-errors.log");
  let text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof Error && error.cause instanceof Error) text += `\ncaused by ${error.cause.stack ?? error.cause.message}`;
  for (const [name, value] of Object.entries(env))
    if (value && value.length >= 8 && /key|token|secret|passw|auth|credential/i.test(name)) text = text.replaceAll(value, "***");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    appendFileSync(file, `${new Date(clock.now()).toISOString()} ${text}\n\n`, { mode: 0o600 });
    return file;
  } catch {
    return undefined;
  }
}

const sentence = (text: string): string => (/[.!?:]$/.test(text.trimEnd()) ? text : `${text}.`);
const firstLine = (text: string): string => (text.split("\n")[0] ?? "").replace(/\.$/, "");
