import { createHash } from "node:crypto";
import type { Action } from "./seen.ts";

/** What differs between two runs of one command although nothing is different: ids of processes and sessions, times, durations, addresses. */
const volatile: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<uuid>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, "<time>"],
  [/\b(p(?:g|p)?id)\b(\D{0,3})\d+/gi, "$1$2<pid>"],
  [/\b\d+(?:\.\d+)?\s?(?:ms|µs|us|ns|s|sec|seconds|milliseconds)\b/gi, "<duration>"],
  [/\b(duration_ms|elapsed|took|real|user|sys)(\W{1,3})\d+(?:[.m]\d+)*s?/gi, "$1$2<duration>"],
  [/\b0x[0-9a-f]{6,}\b/gi, "<address>"],
  [/\u001b\[[\d;]*[A-Za-z]/g, ""], // eslint-disable-line no-control-regex
];

/** A result without what is different each time. */
const settled = (text: string): string => volatile.reduce((said, [pattern, word]) => said.replace(pattern, word), text);

/** A few characters that are equal for equal texts. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 16);

/** What came of a call, however long, in a few characters. */
export const resultOf = (text: string): string => digest(settled(text));

const LONGEST_SIGNATURE = 200;

/** `run npm test`; a long one is cut and told apart by its digest. */
export function signatureOf(kind: string, target: string): string {
  const whole = `${kind} ${target}`.replaceAll(/\s+/g, " ").trim();
  return whole.length <= LONGEST_SIGNATURE ? whole : `${whole.slice(0, LONGEST_SIGNATURE - 18)}… ${digest(whole)}`;
}

const CHANGING = /^(?:edit|write|delete|move|create|patch|apply|send)\b/;
/** Lines of progress that are about the attempt and not about a call. */
const NO_CALL = /^(?:plan \d+\/\d+|starts anew|says that|refused|the earlier session)\b/;

/**
 * The call that a line of progress tells of (`edit src/a.ts`, `failed: run npm test`), for executors whose output is not understood line by
 * line. `undefined` for lines that are no call. What an edit writes is not in such a line: two of them are never known to be equal.
 */
export function actionInProgress(text: string): { isFailureOfLast: boolean; action: Action } | undefined {
  const line = text.trim();
  if (line === "" || NO_CALL.test(line)) return undefined;
  const isFailureOfLast = line.startsWith("failed: ");
  const label = isFailureOfLast ? line.slice("failed: ".length) : line;
  const action: Action = { signature: signatureOf("", label) };
  if (isFailureOfLast) action.result = "failed";
  if (CHANGING.test(label) && !isFailureOfLast) action.isOpaqueChange = true;
  return { isFailureOfLast, action };
}
