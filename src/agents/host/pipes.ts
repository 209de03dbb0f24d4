import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

/** Pairs made by one `mkfifo`. When half of them are left, the next batch is begun before it is needed. */
const BATCH = 12;

interface Ends {
  child: number;
  ours: number;
}

/** A child's output: descriptors to hand to it, and our ends. */
export interface OutputPipes {
  childFds: [number, number];
  stdout: Socket;
  stderr: Socket;
}

/**
 * What a child's stdio is made of on Linux. Node's own "pipe" is a socket pair there, and a socket cannot be opened
 * again by path: `tee /dev/stderr`, `> /dev/stdout` and `cat /dev/stdin` fail in the child with ENXIO. Node cannot call
 * pipe(2), so for output a named pipe is opened at both ends and its name removed at once, in batches: one `mkfifo`
 * serves many. For input a named pipe would not do (opened again after its writer has gone it blocks for ever): that is
 * a file whose name is removed at once.
 */
export class PipeMaker {
  readonly #folder: string;
  readonly #ready: { stdout: Ends; stderr: Ends }[] = [];
  readonly #batch: number;
  #making: Promise<void> | undefined;
  /** `batch: 1` for a process that starts one only: none are made ahead. */
  constructor(home: string, batch = BATCH) {
    this.#folder = join(home, "processes", ".pipes");
    this.#batch = batch;
  }

  async output(): Promise<OutputPipes> {
    let pair = this.#ready.pop();
    for (; !pair; pair = this.#ready.pop()) await this.#refill();
    // A failure is told to the next one who has to wait.
    if (this.#ready.length < Math.floor(this.#batch / 2)) this.#refill().catch(() => {});
    const { stdout, stderr } = pair;
    const reader = (fd: number) => new Socket({ fd, readable: true, writable: false });
    return { childFds: [stdout.child, stderr.child], stdout: reader(stdout.ours), stderr: reader(stderr.ours) };
  }

  /** A descriptor to read `text` from. */
  input(text: string): number {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, randomUUID());
    try {
      writeFileSync(path, text, { mode: 0o600, flag: "wx" });
      return openSync(path, constants.O_RDONLY);
    } finally {
      rmSync(path, { force: true });
    }
  }

  #refill(): Promise<void> {
    return (this.#making ??= this.#make().finally(() => (this.#making = undefined)));
  }

  async #make(): Promise<void> {
    const folder = this.#quickFolder();
    const paths = Array.from({ length: this.#batch }, (_, n) => [join(folder, `${n}o`), join(folder, `${n}e`)] as const);
    try {
      await promisify(execFile)("mkfifo", ["-m", "600", ...paths.flat()], { env: { PATH: "/usr/bin:/bin" } });
      for (const [stdout, stderr] of paths) this.#ready.push({ stdout: openEnds(stdout), stderr: openEnds(stderr) });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** In memory where there is such a place: a name on disk costs more than the pipe. */
  #quickFolder(): string {
    try {
      return mkdtempSync("/dev/shm/stepfall-");
    } catch {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      return mkdtempSync(join(this.#folder, "batch-"));
    }
  }
}

/** Our end never blocks; the child's does, as programs expect. */
function openEnds(path: string): Ends {
  const ours = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { ours, child: openSync(path, constants.O_WRONLY) };
}

export const closeAll = (fds: readonly number[]): void => fds.forEach((fd) => closeSync(fd));
