import type { ExecutionContext } from "../contract.ts";
import { Transcript } from "../host/transcript.ts";

export interface Notes {
  /** A line for people, also kept in the transcript. */
  progress(text: string): void;
  /** A line for the transcript only. */
  write(text: string): void;
  /** Whether a line did not fit any more. */
  readonly isFull: boolean;
  close(): Promise<void>;
}

const LIMIT_BYTES = 32 * 1024 * 1024;

/** The transcript of an attempt that is no process of ours: what it said about itself, line by line, secrets masked. */
export function openNotes(
  { transcript, progress }: Pick<ExecutionContext, "transcript" | "progress">,
  mask: (text: string) => string,
  clock: { now(): number } = Date,
): Notes {
  const file = new Transcript(transcript, LIMIT_BYTES);
  let isFull = false;
  let isClosed = false;
  const write = (text: string): void => {
    if (isClosed) return;
    for (const line of mask(text).split("\n")) isFull ||= !file.append("stdout", line, clock.now());
  };
  return {
    write,
    progress(text) {
      if (isClosed) return;
      write(text);
      progress(mask(text));
    },
    get isFull() {
      return isFull;
    },
    async close() {
      isClosed = true;
      await file.close();
    },
  };
}
