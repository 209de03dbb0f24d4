import { GitFailed, subcommand, WorkspaceError } from "./errors.ts";
import { gitRunner } from "./runner.ts";

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

async function runGit(args: readonly string[], env: Record<string, string>, options: GitOptions, signal?: AbortSignal): Promise<GitAnswer> {
  if (signal?.aborted) throw stopped(args, signal);
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const { ended, kill } = gitRunner.start({ args, env, input: options.input ?? "", maxBytes });
  signal?.addEventListener("abort", kill, { once: true });
  const end = await ended;
  signal?.removeEventListener("abort", kill);
  if (end.unstartable) throw unstartable(args, end.unstartable);
  if (signal?.aborted) throw stopped(args, signal);
  const stdout = Buffer.from(end.stdout.buffer, end.stdout.byteOffset, end.stdout.byteLength);
  const { code, stderr } = end;
  if (end.wasCut && options.cut) return { code: 0, stdout, stderr, wasCut: true };
  if (end.wasCut) throw new GitFailed(args, null, `its output is longer than ${maxBytes} bytes`);
  if (code === null) throw new GitFailed(args, null, stderr || `ended by ${end.killedBy}`, { isLost: end.isLost === true });
  if (!(options.accept ?? [0]).includes(code)) throw new GitFailed(args, code, stderr);
  return { code, stdout, stderr, wasCut: false };
}

function stopped(args: readonly string[], signal: AbortSignal): WorkspaceError {
  return new WorkspaceError("GIT_STOPPED", `git ${subcommand(args)[0]} was stopped.`, "Nothing is broken: start it again.", {
    cause: signal.reason,
  });
}

function unstartable(args: readonly string[], cause: { code: string | undefined; message: string }): WorkspaceError {
  if (cause.code === "ENOENT")
    return new WorkspaceError("GIT_MISSING", "git was not found in the PATH.", "Install git 2.38 or newer.", { cause });
  return new GitFailed(args, null, cause.message, { cause });
}
