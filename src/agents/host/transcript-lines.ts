import { open } from "node:fs/promises";
import type { OutputLine } from "../contract.ts";

/** How far a transcript may be read now. */
export interface Readable {
  /** Whole lines are on disk up to here. */
  bytes: number;
  /** Nothing will be added. */
  isLast: boolean;
  /** Resolves when there is more to know than this. */
  changed: Promise<void>;
}

/** The lines of a transcript from the byte `start` with `seq >= from`, as they arrive, until nothing will be added. */
export async function* readLines(path: string, start: number, from: number, now: () => Readable): AsyncGenerator<OutputLine> {
  const file = await open(path, "r");
  try {
    const chunk = Buffer.alloc(64 * 1024);
    let rest = Buffer.alloc(0);
    for (let at = start; ;) {
      const { isLast, changed } = now();
      while (at < now().bytes) {
        const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, now().bytes - at), at);
        if (bytesRead === 0) return; // somebody cut the file
        at += bytesRead;
        const lines = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
        const end = lines.lastIndexOf(10) + 1;
        rest = lines.subarray(end);
        for (const text of lines.toString("utf8", 0, end).split("\n").slice(0, -1)) {
          const line = JSON.parse(text) as OutputLine;
          if (line.seq >= from) yield line;
        }
      }
      if (isLast) return;
      await changed;
    }
  } finally {
    await file.close();
  }
}
