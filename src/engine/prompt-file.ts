import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { fold, parseAttemptId, type Recorded } from "../domain/index.ts";
import { buildPrompt } from "../planning/index.ts";
import { saidBefore } from "./messages.ts";
import { runFolder } from "./paths.ts";

/** What the agent of an attempt is told lies beside its transcript, which only has what the agent says. Ends like no transcript does. */
export const PROMPT_END = ".prompt.txt";

function promptPath(home: string, attempt: string): string | undefined {
  const ref = parseAttemptId(attempt);
  return ref && join(runFolder(home, ref.runId), `${encodeURIComponent(ref.stepPath)}-${ref.n}${PROMPT_END}`);
}

/** Once: an engine that takes the attempt up repeats what its agent has heard already. For people to read: an attempt does not fail for it. */
export function keepPrompt({ home, mask }: { home: string; mask: (text: string) => string }, attempt: string, prompt: string): void {
  const path = promptPath(home, attempt);
  if (path === undefined) return;
  try {
    writeFileSync(path, mask(prompt), { mode: 0o600, flag: "wx" });
  } catch {
    // it is there, or the disk is full: then it is told from the journal
  }
}

/** At most `mostBytes` of it, without half a character at the end. `undefined`: it was not kept, or was cleaned away. */
export async function readPrompt(home: string, attempt: string, mostBytes: number): Promise<{ text: string; isCut: boolean } | undefined> {
  const path = promptPath(home, attempt);
  const file = path === undefined ? undefined : await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const bytes = Buffer.alloc(mostBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
    return cutBytes(bytes.subarray(0, length), mostBytes);
  } finally {
    await file.close();
  }
}

/**
 * The same, put together again from the run's events by the rules of today: of an attempt that has begun, and that is an agent's. What the journal
 * does not tell is not in it: whether the agent was told of the tools of its run.
 */
export function retellPrompt(
  events: readonly Recorded[],
  attempt: string,
  { mask, mostBytes }: { mask: (text: string) => string; mostBytes: number },
): { text: string; isCut: boolean } | undefined {
  const begun = events.findIndex(({ event }) => event.type === "AttemptStarted" && event.data.attempt === attempt);
  const path = parseAttemptId(attempt)?.stepPath ?? "";
  if (begun < 0) return undefined;
  const goesOn = events.some(({ event }) => event.type === "SessionTaken" && event.data.attempt === attempt);
  const state = fold(events.slice(0, begun + 1));
  const s = state.steps.get(path);
  if (s?.step.kind !== "agent") return undefined;
  const prompt = buildPrompt(s.step, s.feedback, { goesOn, said: saidBefore({ step: s.step, attempt, state }) });
  return cutBytes(Buffer.from(mask(prompt)), mostBytes);
}

function cutBytes(bytes: Buffer, most: number): { text: string; isCut: boolean } {
  if (bytes.length <= most) return { text: bytes.toString("utf8"), isCut: false };
  let end = most;
  // Within a character every byte but its first is 10xxxxxx.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return { text: bytes.toString("utf8", 0, end), isCut: true };
}
