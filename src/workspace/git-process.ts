import { spawn } from "node:child_process";

/** One git command, as plain data: it may be run here or in the runner process. */
export interface GitCommand {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  input: string | Uint8Array;
  /** More output than this ends it. */
  maxBytes: number;
}

export interface GitEnd {
  /** `null`: ended by `killedBy`. */
  code: number | null;
  killedBy: string | null;
  stdout: Uint8Array;
  stderr: string;
  wasCut: boolean;
  /** Whoever started it died before it ended. */
  isLost?: boolean;
  /** It could not be started. */
  unstartable?: { code: string | undefined; message: string };
}

const maxStderrBytes = 64 * 1024;

/** Runs it as a child of this process. Never rejects. `kill` ends it early. */
export function startGit({ args, env, input, maxBytes }: GitCommand): { ended: Promise<GitEnd>; kill: () => void } {
  const { promise, resolve } = Promise.withResolvers<GitEnd>();
  // Always from "/", which exists: so ENOENT means that git is missing and nothing else. Folders are named with -C.
  const child = spawn("git", args, { cwd: "/", env, stdio: ["pipe", "pipe", "pipe"] });
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
  child.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    resolve({ code: null, killedBy: null, stdout: Buffer.alloc(0), stderr: "", wasCut: false, unstartable: { code, message } });
  });
  child.on("close", (code, killedBy) => {
    resolve({ code, killedBy, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString("utf8"), wasCut });
  });
  // A command that ends without reading all of its input is judged by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return { ended: promise, kill: () => void child.kill() };
}
