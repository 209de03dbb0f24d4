import { closeSync, fstatSync, mkdirSync, openSync, readSync, write } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { OutputLine } from "../contract.ts";
import { AgentError } from "../errors.ts";
import { PIECE } from "./lines.ts";
import { readLines } from "./transcript-lines.ts";

const writeAsync = promisify(write) as (fd: number, buffer: Buffer, offset: number) => Promise<{ bytesWritten: number }>;

/** Bytes waiting for the disk above which the agent's output is not read further: it then blocks, our memory does not grow. */
const HIGH_WATER = 1024 * 1024;

/** Where a transcript stands on disk. */
export interface TranscriptPosition {
  bytes: number;
  /** Of the last line; 0 when there is none. */
  seq: number;
}

/**
 * The output of one process, appended to a file as NDJSON. Several processes may use one file after another: `seq` goes
 * on counting. A reader sees what is on disk, as it arrives.
 */
export class Transcript {
  readonly #path: string;
  readonly #fd: number;
  readonly #limit: number;
  readonly #start: number;
  #seq: number;
  #written: number;
  #accepted = 0;
  #pending: string[] = [];
  #pendingBytes = 0;
  #flushing: Promise<void> | undefined;
  #closed = false;
  #changed = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #seqOnDisk: number;
  readonly #onGrown: ((position: TranscriptPosition) => void) | undefined;

  constructor(path: string, limitBytes: number, onGrown?: (position: TranscriptPosition) => void) {
    this.#path = path;
    this.#onGrown = onGrown;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#fd = openSync(path, "a+", 0o600);
    } catch (cause) {
      const message = `the transcript ${path} could not be opened: ${(cause as Error).message}`;
      throw new AgentError("AGENT_TRANSCRIPT_IO", message, "Check that STEPFALL_HOME is writable and has space left.", { cause });
    }
    this.#limit = limitBytes;
    this.#start = fstatSync(this.#fd).size;
    this.#written = this.#start;
    this.#seq = this.#start === 0 ? 0 : lastSeq(this.#fd, this.#start);
    this.#seqOnDisk = this.#seq;
  }

  get position(): TranscriptPosition {
    return { bytes: this.#written, seq: this.#seqOnDisk };
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Answers false when the line does not fit any more: nothing of it is written. */
  append(stream: OutputLine["stream"], text: string, at: number): boolean {
    const line = `${JSON.stringify({ seq: this.#seq + 1, at, stream, text } satisfies OutputLine)}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.#accepted + bytes > this.#limit) return false;
    this.#seq += 1;
    this.#accepted += bytes;
    this.#pendingBytes += bytes;
    this.#pending.push(line);
    this.#flushing ??= this.#flush();
    return true;
  }

  get isFull(): boolean {
    return this.#pendingBytes > HIGH_WATER;
  }

  /** Resolves when all that was appended is on disk. */
  async drained(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    await Promise.resolve(); // lines of one chunk go in one write
    while (this.#pending.length > 0 && !this.#failure) {
      const buffer = Buffer.from(this.#pending.join(""));
      this.#pending = [];
      const seq = this.#seq;
      try {
        for (let done = 0; done < buffer.length;) done += (await writeAsync(this.#fd, buffer, done)).bytesWritten;
        this.#written += buffer.length;
        this.#seqOnDisk = seq;
        this.#onGrown?.(this.position);
      } catch (error) {
        this.#failure = error as Error;
      }
      this.#pendingBytes -= buffer.length;
      this.#notify();
    }
    this.#pending = [];
    this.#flushing = undefined;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  async close(): Promise<void> {
    await this.drained();
    this.#closed = true;
    closeSync(this.#fd);
    this.#notify();
  }

  /** Lines of this process with `seq >= from`, ending when the process has ended and all was read. */
  lines(from: number): AsyncGenerator<OutputLine> {
    return readLines(this.#path, this.#start, from, () => ({
      bytes: this.#written,
      isLast: this.#closed,
      changed: this.#changed.promise,
    }));
  }
}

/** The seq of a file's last whole line; a line that a crash cut short is passed over. */
function lastSeq(fd: number, size: number): number {
  const length = Math.min(size, 8 * PIECE);
  const tail = Buffer.alloc(length);
  readSync(fd, tail, 0, length, size - length);
  for (const line of tail.toString("utf8").split("\n").toReversed()) {
    try {
      const { seq } = JSON.parse(line) as { seq?: unknown };
      if (typeof seq === "number") return seq;
    } catch {
      // the cut line, or the empty one at the end
    }
  }
  return 0;
}
