/** Identity of an attempt: `runId/stepPath#n`, n counting from 1. */
export type AttemptId = string;

export const attemptId = (runId: string, stepPath: string, n: number): AttemptId => `${runId}/${stepPath}#${n}`;

export interface AttemptRef {
  runId: string;
  stepPath: string;
  n: number;
}

/** Takes an attempt id apart; `undefined` when it is none. */
export function parseAttemptId(id: string): AttemptRef | undefined {
  const slash = id.indexOf("/");
  const hash = id.lastIndexOf("#");
  if (slash < 1 || hash < slash + 2) return undefined;
  const n = Number(id.slice(hash + 1));
  if (!Number.isInteger(n) || n < 1) return undefined;
  return { runId: id.slice(0, slash), stepPath: id.slice(slash + 1, hash), n };
}

/** Identity of something that waits for people: `runId/stepPath!n`. */
export const inboxItemId = (runId: string, stepPath: string, n: number): string => `${runId}/${stepPath}!${n}`;

/** The run an inbox item belongs to; `undefined` when it is no such id. */
export const runOfItem = (item: string): string | undefined => (item.includes("!") ? item.split("/")[0] || undefined : undefined);

/** The journal stream of a run. */
export const runStream = (runId: string): string => `run:${runId}`;

/** The run of a stream; `undefined` for the streams of the fleet and of projects. */
export const runOfStream = (stream: string): string | undefined => (stream.startsWith("run:") ? stream.slice(4) : undefined);
