import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { LOGS_FOLDER, logFiles } from "./day-files.ts";

/** Longer than any line that we write: what has no end within it is not ours. */
const PIECE = 256 * 1024;

/** A line as it stands in the file; what else it holds is kept. */
export interface SystemLine {
  time: string;
  level: string;
  event: string;
  message: string;
  process?: string;
  pid?: number;
  room?: string;
  run?: string;
  step?: string;
  attempt?: string;
  data?: Record<string, unknown>;
  error?: { code?: string; message?: string; stack?: string };
}

/** Reads the log of a home from its beginning, and whatever is appended after that. */
export class SystemLog {
  readonly #folder: string;
  /** How far each file was read, bytes. */
  readonly #read = new Map<string, number>();

  constructor(home: string) {
    this.#folder = join(home, LOGS_FOLDER);
  }

  /** What is new since the last call, in the order it was written. */
  *next(): Generator<SystemLine> {
    const files = logFiles(this.#folder);
    for (const name of this.#read.keys()) if (!files.includes(name)) this.#read.delete(name);
    for (const name of files) yield* this.#file(name);
  }

  *#file(name: string): Generator<SystemLine> {
    let fd: number;
    try {
      fd = openSync(join(this.#folder, name), "r");
    } catch {
      return;
    }
    try {
      const piece = Buffer.alloc(PIECE);
      for (;;) {
        const from = this.#read.get(name) ?? 0;
        const length = readSync(fd, piece, 0, PIECE, from);
        // Only whole lines are taken: the rest of one may still be on its way.
        const end = piece.subarray(0, length).lastIndexOf(0x0a) + 1;
        const taken = end > 0 || length < PIECE ? end : length;
        if (taken === 0) return;
        this.#read.set(name, from + taken);
        for (const text of piece.toString("utf8", 0, taken).split("\n")) {
          const line = parse(text);
          if (line) yield line;
        }
      }
    } finally {
      closeSync(fd);
    }
  }
}

function parse(text: string): SystemLine | undefined {
  try {
    const line = JSON.parse(text) as SystemLine | null;
    return typeof line?.time === "string" && typeof line.message === "string" ? line : undefined;
  } catch {
    return undefined;
  }
}
