import { spawn } from "node:child_process";
import type { Called } from "./contract.ts";

/** Most of what a program prints that is kept: so much of its beginning, which may be an answer, and so much of its end, which are its last words. */
export const MOST_BYTES = 64 * 1024;
const MOST_WORDS = 2000;
/** What it has printed is on its way when it has ended; whoever else holds its output is not waited for. */
const LAST_WORDS_MS = 200;

export interface Program {
  argv: readonly [string, ...string[]];
  cwd: string;
  env: Readonly<Record<string, string>>;
  input: string;
  /** Its time is over, or nobody wants to know any more. */
  until: AbortSignal;
  timedOut: string;
}

/** In a process group of its own, which is ended as a whole when its time is over. What a program that has ended left running is its own affair. */
export async function runProgram({ argv, cwd, env, input, until, timedOut }: Program, mask: (text: string) => string): Promise<Called> {
  if (until.aborted) return { kind: "failed", detail: timedOut };
  const [program, ...args] = argv;
  return new Promise((resolve) => {
    // Throws for what the system cannot be given at all: the promise is then rejected.
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    const out = new Output();
    const err = new Output();
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.add(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.add(text));
    // A command that does not read its stdin is no failure.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const letGo = (): void => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
      letGo();
    };
    until.addEventListener("abort", end, { once: true });
    let timer: NodeJS.Timeout | undefined;
    const done = (called: Called): void => {
      clearTimeout(timer);
      until.removeEventListener("abort", end);
      letGo();
      resolve(called);
    };
    const ended = (code: number | null, signal: string | null): void => {
      if (until.aborted) return done({ kind: "failed", detail: timedOut });
      const said = err.words(mask) || out.words(mask);
      if (code === null) return done({ kind: "failed", detail: `was ended by ${signal ?? "a signal"}${said && `: ${said}`}` });
      // The shell's own words for a program that is not there, or that it may not start.
      if (code === 126 || code === 127) return done({ kind: "failed", detail: said || `exit code ${code}` });
      return done({ kind: "answered", code, body: code === 0 ? mask(out.beginning) : said, isCut: out.isCut });
    };
    child.on("error", (error) => done({ kind: "failed", detail: mask(error.message) }));
    child.on("exit", (code, signal) => (timer = setTimeout(() => ended(code, signal), LAST_WORDS_MS)));
    child.on("close", ended);
  }).catch((error: unknown): Called => ({
    kind: "failed",
    detail: mask(error instanceof Error ? error.message : String(error)),
  })) as Promise<Called>;
}

class Output {
  beginning = "";
  #end = "";
  isCut = false;

  add(text: string): void {
    const room = MOST_BYTES - this.beginning.length;
    if (text.length > room) this.isCut = true;
    if (room > 0) this.beginning += text.slice(0, room);
    this.#end = (this.#end + text).slice(-MOST_BYTES);
  }

  /** Masked before it is cut: a part of a secret is not known for one. */
  words(mask: (text: string) => string): string {
    return mask(this.#end).trim().slice(-MOST_WORDS);
  }
}
