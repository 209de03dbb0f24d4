import { runToolLimits, type EventData, type RunState, type RunToolInput } from "../domain/index.ts";
import type { AgentReply } from "../models/index.ts";
import { attemptOf, over, refuses, says, type Asker } from "./agent-reply.ts";

/** Keys that are only named. */
const MOST_NAMES = 100;

/** What is on the board, as much as a model can take at a time. */
export function readBoard({ board }: RunState, { key, prefix = "" }: RunToolInput<"blackboard_get">): AgentReply {
  const found = [...board].filter(([name]) => (key === undefined ? name.startsWith(prefix) : name === key));
  const shown: string[] = [];
  const left: string[] = [];
  let characters = 0;
  for (const [name, { value, version, step }] of found) {
    const entry = `${JSON.stringify(name)}:${JSON.stringify({ value, version, step })}`;
    characters += entry.length + 1;
    if (characters <= runToolLimits.answerCharacters) shown.push(entry);
    else left.push(name);
  }
  if (left.length === 0) return says(`{${shown.join(",")}}`);
  const names = left.slice(0, MOST_NAMES).join(", ");
  return says(
    `{${shown.join(",")}}\n[${left.length} more, to be had by key or prefix: ${names}${left.length > MOST_NAMES ? ", ..." : ""}]`,
  );
}

/** What a write to the board comes to: an event that records it, or an answer without one. Pure. */
export function writeToBoard(
  state: RunState,
  asker: Asker,
  request: string,
  input: RunToolInput<"blackboard_put">,
  mask: (text: string) => string,
): { reply: AgentReply; put?: EventData<"BlackboardPut"> } {
  const a = attemptOf(state, asker);
  if (!a) return { reply: over };
  const { key, expect } = input;
  const written = a.requests?.ids.get(request);
  if (written !== undefined) return { reply: says(JSON.stringify({ key, version: written })) };
  if (input.value === undefined) return no("There is no value.");
  if (mask(key) !== key) return no("The key holds a secret.");
  const value = maskedValue(input.value, mask);
  const bytes = bytesOf(key, value);
  const before = state.board.get(key);
  const version = (before?.version ?? 0) + 1;
  if (expect !== undefined && expect !== version - 1) {
    const now = before ? `has version ${before.version}, and its value is ${JSON.stringify(before.value)}` : "is not there";
    return no(`Not written: ${key} ${now}.`);
  }
  const others = [...state.board].filter(([name]) => name !== key);
  const whole = others.reduce((sum, [name, entry]) => sum + bytesOf(name, entry.value), bytes);
  if (bytes > runToolLimits.valueBytes) return no(`Not written: it has ${bytes} bytes, and ${runToolLimits.valueBytes} is the most.`);
  if (others.length >= runToolLimits.keys || whole > runToolLimits.boardBytes)
    return no(`Not written: the blackboard is full (${others.length} other keys). Write to a key that is there, or something shorter.`);
  if ((a.requests?.puts ?? 0) >= runToolLimits.puts) return no(`Not written: an attempt writes ${runToolLimits.puts} times at most.`);
  const put = { attempt: asker.attempt, step: asker.step.path, request, key, value, version };
  return { reply: says(JSON.stringify({ key, version })), put };
}

const no = (text: string): { reply: AgentReply } => ({ reply: refuses(text) });

/** Every text in it masked, names of fields too. */
function maskedValue(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((part) => maskedValue(part, mask));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [mask(name), maskedValue(part, mask)]));
}

/** Of an entry as JSON, with its key. */
const bytesOf = (key: string, value: unknown): number => Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value));
