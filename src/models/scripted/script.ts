import { z } from "zod";
import { aside } from "./aside.ts";
import type { DialectName } from "./dialect.ts";

/** What goes wrong with an answer. `afterChunks` counts the chunks sent before it happens. */
const Fault = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("status"),
    status: z.number().int().min(400).max(599),
    message: z.string().optional(),
    retryAfterSeconds: z.number().optional(),
    /** Sent as it is instead of an OpenAI error, e.g. the HTML page of a proxy. */
    body: z.string().optional(),
  }),
  /** A chunk that is no JSON. */
  z.object({ kind: z.literal("malformed"), afterChunks: z.number().int().nonnegative() }),
  /** The connection is reset. Without `afterChunks`: before the status line. */
  z.object({ kind: z.literal("reset"), afterChunks: z.number().int().nonnegative().optional() }),
  /** Nothing more is ever sent. Without `afterChunks`: not even the status line. */
  z.object({ kind: z.literal("hang"), afterChunks: z.number().int().nonnegative().optional() }),
  /** The stream ends there, politely, without its finish, usage and `[DONE]`. */
  z.object({ kind: z.literal("truncate"), afterChunks: z.number().int().nonnegative() }),
]);
export type Fault = z.infer<typeof Fault>;

export const ScriptedAnswer = z.object({
  text: z.string().optional(),
  toolCalls: z
    .array(z.object({ id: z.string().optional(), name: z.string(), /** An object, or text sent as it is. */ arguments: z.unknown() }))
    .optional(),
  /** What is reported; fields left out are counted. `none`: no usage is ever reported. */
  usage: z
    .union([
      z.literal("none"),
      z.object({
        promptTokens: z.number().int().optional(),
        /** Part of the prompt's. */
        cachedTokens: z.number().int().optional(),
        /** Part of the prompt's; reported in Anthropic's format only. */
        cacheWriteTokens: z.number().int().optional(),
        completionTokens: z.number().int().optional(),
      }),
    ])
    .optional(),
  /** In OpenAI's words (`stop`, `tool_calls`, `length`, `content_filter`); the other formats get their own for it. */
  finishReason: z.string().optional(),
  /** Before the status line. */
  firstDelayMs: z.number().optional(),
  /** Before each chunk of a stream. */
  chunkDelayMs: z.number().optional(),
  /** Words in a chunk; 1 unless told. */
  wordsPerChunk: z.number().int().positive().optional(),
  fault: Fault.optional(),
});
export type ScriptedAnswer = z.infer<typeof ScriptedAnswer>;

/** All conditions given must hold. Texts are searched for as substrings. */
const Condition = z.object({
  model: z.string().optional(),
  lastUser: z.string().optional(),
  system: z.string().optional(),
  /** In any message of the request. */
  anywhere: z.string().optional(),
  /** Number of assistant messages in the request. */
  turn: z.number().int().optional(),
  /** Number of tool results in the request. */
  toolResults: z.number().int().optional(),
  lastToolResult: z.string().optional(),
  /** In any message of the user: agents add messages of their own to the prompt. */
  user: z.string().optional(),
  /** The request offers these tools, by name. */
  tools: z.array(z.string()).optional(),
  /** The wire format it came in. */
  dialect: z.enum(["chat", "responses", "messages", "gemini"]).optional(),
});
export type Condition = z.infer<typeof Condition>;

const Rule = z.object({
  when: Condition.optional(),
  /**
   * By name, a regular expression with one group that must be found in a message of the request: the answer's texts may hold `{{name}}`.
   * For what only the agent knows, e.g. `{ "cwd": "Working directory: (\\S+)" }`.
   */
  capture: z.record(z.string(), z.string()).optional(),
  /** Answers at most this many requests, e.g. two failures before it goes well. */
  times: z.number().int().positive().optional(),
  answer: ScriptedAnswer.optional(),
  /** By turn: the n-th answers a request that holds n assistant messages. Requests beyond the last do not match. */
  turns: z.array(ScriptedAnswer).optional(),
});
export type Rule = z.infer<typeof Rule>;

/**
 * The first rule that matches answers. A request that nothing matches is an error, never a made-up answer, with one exception: where a rule
 * names tools, the script plays a model for an agent, and what the agent asks on the side (a title, a check of the key), offering no
 * tools, gets an answer that does no harm.
 */
export const Script = z.object({ rules: z.array(Rule), models: z.array(z.string()).optional() });
export type Script = z.infer<typeof Script>;

export interface ScriptedMessage {
  /** `system`, `user`, `assistant` or `tool`, whatever the wire format calls it. */
  role: string;
  content: string;
  toolCalls: number;
}

/** A request as rules see it. */
export interface ScriptedRequest {
  dialect: DialectName;
  model: string;
  messages: readonly ScriptedMessage[];
  turn: number;
  toolResults: number;
  /** Names of the tools offered. */
  tools: readonly string[];
  /** As it came. */
  body: Readonly<Record<string, unknown>>;
  /** Names in small letters. Not kept. */
  headers: Readonly<Record<string, string>>;
  /** All that counts as input. */
  prompt: unknown;
}

export type ScriptFunction = (request: ScriptedRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>;

/** A script as a function. It counts `times`, so each server needs its own. */
export function fromScript(script: Script): ScriptFunction {
  const used = new Map<Rule, number>();
  const isForAgents = script.rules.some((rule) => rule.when?.tools !== undefined);
  return (request) => {
    for (const rule of script.rules) {
      if (!holds(rule.when ?? {}, request) || (used.get(rule) ?? 0) >= (rule.times ?? Infinity)) continue;
      const answer = rule.turns ? rule.turns[request.turn] : rule.answer;
      const captured = answer && capture(rule.capture ?? {}, request);
      if (!answer || !captured) continue;
      used.set(rule, (used.get(rule) ?? 0) + 1);
      return fill(answer, captured);
    }
    return isForAgents && request.tools.length === 0 ? aside(request.body) : undefined;
  };
}

function holds(when: Condition, request: ScriptedRequest): boolean {
  const last = (role: string): string => request.messages.findLast((m) => m.role === role)?.content ?? "";
  const { user = "", anywhere = "" } = when;
  return (
    (when.model === undefined || request.model.includes(when.model)) &&
    (when.lastUser === undefined || last("user").includes(when.lastUser)) &&
    (when.user === undefined || request.messages.some((m) => m.role === "user" && m.content.includes(user))) &&
    (when.system === undefined || last("system").includes(when.system)) &&
    (when.anywhere === undefined || request.messages.some((m) => m.content.includes(anywhere))) &&
    (when.turn === undefined || request.turn === when.turn) &&
    (when.toolResults === undefined || request.toolResults === when.toolResults) &&
    (when.lastToolResult === undefined || last("tool").includes(when.lastToolResult)) &&
    (when.tools === undefined || when.tools.every((name) => request.tools.includes(name))) &&
    (when.dialect === undefined || request.dialect === when.dialect)
  );
}

function capture(patterns: Readonly<Record<string, string>>, request: ScriptedRequest): Map<string, string> | undefined {
  const captured = new Map<string, string>();
  for (const [name, pattern] of Object.entries(patterns)) {
    const regexp = new RegExp(pattern);
    const found = request.messages.map((m) => regexp.exec(m.content)?.[1]).find((text) => text !== undefined);
    if (found === undefined) return undefined;
    captured.set(name, found);
  }
  return captured;
}

/** The answer with `{{name}}` replaced in all its texts. */
function fill<T>(value: T, captured: ReadonlyMap<string, string>): T {
  if (captured.size === 0) return value;
  const filled = (inner: unknown): unknown => {
    if (typeof inner === "string") return inner.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => captured.get(name) ?? whole);
    if (Array.isArray(inner)) return inner.map(filled);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, v]) => [key, filled(v)]));
  };
  return filled(value) as T;
}
