import { spawn } from "node:child_process";
import { GitFailed, subcommand, WorkspaceError } from "./errors.ts";

/** A process environment, passed in by whoever started us. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface GitOptions {
  env?: Readonly<Record<string, string>>;
  input?: string | Uint8Array;
  /** Exit codes that are answers and not failures. Default: 0 only. */
  accept?: readonly number[];
  /** More output than this fails the call, or with `cut` ends it. Default 256 MiB. */
  maxBytes?: number;
  cut?: boolean;
}

export interface GitAnswer {
  code: number;
  stdout: Buffer;
  stderr: string;
  /** The output was longer than `maxBytes`. */
  wasCut: boolean;
}

/** Runs one git command. Rejects with a WorkspaceError; never inherits anything but what it was made with. */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitAnswer>;

/** How many git processes of one owner run at a time; more wait in line. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  constructor(count: number) {
    this.#free = count;
  }
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resume) => this.#waiting.push(resume));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

const defaultMaxBytes = 256 * 1024 * 1024;
const maxStderrBytes = 64 * 1024;

/** `flags` go before every command. */
export function createGit(setup: {
  env: Readonly<Record<string, string>>;
  flags?: readonly string[];
  slots: Slots;
  signal?: AbortSignal | undefined;
}): Git {
  return (args, options = {}) =>
    setup.slots.use(() => runGit([...(setup.flags ?? []), ...args], { ...setup.env, ...options.env }, options, setup.signal));
}

function runGit(args: readonly string[], env: Record<string, string>, options: GitOptions, signal?: AbortSignal): Promise<GitAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GitAnswer>();
  if (signal?.aborted) return Promise.reject(stopped(args, signal));
  // Always from "/", which exists: so ENOENT means that git is missing and nothing else. Folders are named with -C.
  const child = spawn("git", args, { cwd: "/", env, stdio: ["pipe", "pipe", "pipe"] });
  const abort = () => child.kill();
  signal?.addEventListener("abort", abort, { once: true });

  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const out: Buffer[] = [];
  let size = 0;
  let wasCut = false;
  child.stdout.on("data", (chunk: Buffer) => {
    if (wasCut) return;
    const room = maxBytes - size;
    size += chunk.length;
    out.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (chunk.length > room) {
      wasCut = true;
      child.kill();
    }
  });
  const err: Buffer[] = [];
  let errSize = 0;
  child.stderr.on("data", (chunk: Buffer) => {
    if (errSize < maxStderrBytes) err.push(chunk);
    errSize += chunk.length;
  });
  child.on("error", (cause: NodeJS.ErrnoException) => {
    signal?.removeEventListener("abort", abort);
    reject(unstartable(args, cause));
  });
  child.on("close", (code, killedBy) => {
    signal?.removeEventListener("abort", abort);
    const stderr = Buffer.concat(err).toString("utf8");
    if (signal?.aborted) return reject(stopped(args, signal));
    if (wasCut && options.cut) return resolve({ code: 0, stdout: Buffer.concat(out), stderr, wasCut });
    if (wasCut) return reject(new GitFailed(args, null, `its output is longer than ${maxBytes} bytes`));
    if (code === null) return reject(new GitFailed(args, null, stderr || `ended by ${killedBy}`));
    if (!(options.accept ?? [0]).includes(code)) return reject(new GitFailed(args, code, stderr));
    resolve({ code, stdout: Buffer.concat(out), stderr, wasCut: false });
  });
  // A command that ends without reading all of its input is judged by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return promise;
}

function stopped(args: readonly string[], signal: AbortSignal): WorkspaceError {
  return new WorkspaceError("GIT_STOPPED", `git ${subcommand(args)[0]} was stopped.`, "Nothing is broken: start it again.", {
    cause: signal.reason,
  });
}

function unstartable(args: readonly string[], cause: NodeJS.ErrnoException): WorkspaceError {
  if (cause.code === "ENOENT")
    return new WorkspaceError("GIT_MISSING", "git was not found in the PATH.", "Install git 2.38 or newer.", { cause });
  return new GitFailed(args, null, cause.message, { cause });
}
