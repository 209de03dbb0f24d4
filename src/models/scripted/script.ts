import { z } from "zod";

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
        cachedTokens: z.number().int().optional(),
        completionTokens: z.number().int().optional(),
      }),
    ])
    .optional(),
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
});
export type Condition = z.infer<typeof Condition>;

const Rule = z.object({
  when: Condition.optional(),
  /** Answers at most this many requests, e.g. two failures before it goes well. */
  times: z.number().int().positive().optional(),
  answer: ScriptedAnswer.optional(),
  /** By turn: the n-th answers a request that holds n assistant messages. Requests beyond the last do not match. */
  turns: z.array(ScriptedAnswer).optional(),
});
export type Rule = z.infer<typeof Rule>;

/** The first rule that matches answers. A request that nothing matches is an error, never a made-up answer. */
export const Script = z.object({ rules: z.array(Rule), models: z.array(z.string()).optional() });
export type Script = z.infer<typeof Script>;

export interface ScriptedMessage {
  role: string;
  content: string;
  toolCalls: number;
}

/** A request as rules see it. */
export interface ScriptedRequest {
  model: string;
  messages: readonly ScriptedMessage[];
  turn: number;
  toolResults: number;
  /** Names of the tools offered. */
  tools: readonly string[];
  /** As it came. */
  body: Readonly<Record<string, unknown>>;
}

export type ScriptFunction = (request: ScriptedRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>;

/** A script as a function. It counts `times`, so each server needs its own. */
export function fromScript(script: Script): ScriptFunction {
  const used = new Map<Rule, number>();
  return (request) => {
    for (const rule of script.rules) {
      if (!holds(rule.when ?? {}, request) || (used.get(rule) ?? 0) >= (rule.times ?? Infinity)) continue;
      const answer = rule.turns ? rule.turns[request.turn] : rule.answer;
      if (!answer) continue;
      used.set(rule, (used.get(rule) ?? 0) + 1);
      return answer;
    }
    return undefined;
  };
}

function holds(when: Condition, request: ScriptedRequest): boolean {
  const last = (role: string): string => request.messages.findLast((m) => m.role === role)?.content ?? "";
  return (
    (when.model === undefined || request.model.includes(when.model)) &&
    (when.lastUser === undefined || last("user").includes(when.lastUser)) &&
    (when.system === undefined || last("system").includes(when.system)) &&
    (when.anywhere === undefined || request.messages.some((m) => m.content.includes(when.anywhere ?? ""))) &&
    (when.turn === undefined || request.turn === when.turn) &&
    (when.toolResults === undefined || request.toolResults === when.toolResults) &&
    (when.lastToolResult === undefined || last("tool").includes(when.lastToolResult))
  );
}

/** Reads a chat completion request; content parts are joined to their text. */
export function readRequest(body: Record<string, unknown>): ScriptedRequest {
  const messages: ScriptedMessage[] = [];
  for (const m of asArray(body.messages)) {
    const parts = typeof m.content === "string" ? [{ text: m.content }] : asArray(m.content);
    const content = parts.map((p) => (typeof p.text === "string" ? p.text : "")).join("");
    messages.push({ role: String(m.role), content, toolCalls: asArray(m.tool_calls).length });
  }
  const tools = asArray(body.tools).map((t) => {
    const name = (t.function as { name?: unknown } | undefined)?.name;
    return typeof name === "string" ? name : "";
  });
  return {
    model: typeof body.model === "string" ? body.model : "",
    messages,
    turn: messages.filter((m) => m.role === "assistant").length,
    toolResults: messages.filter((m) => m.role === "tool").length,
    tools,
    body,
  };
}

const asArray = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((v): v is Record<string, unknown> => typeof v === "object" && v !== null) : [];
