import { z } from "zod";

/** What the executor writes to the chat process's stdin: one line of JSON. The key goes this way and no other. */
export const ChatTask = z.object({
  /** `check`: load everything, ask the gateway for its models, spend nothing. */
  mode: z.enum(["run", "check"]),
  prompt: z.string(),
  /** The work tree; every path of every tool stays within it. */
  tree: z.string(),
  gateway: z.object({ url: z.string(), key: z.string(), model: z.string() }).optional(),
  /** The attempt's MCP endpoint: the model gets the tools of its run, too. */
  mcp: z.string().optional(),
  /** False: the model calls no tools; its replies are read as edits of files. */
  tools: z.boolean(),
  maxTurns: z.number().int().positive(),
  /** Retries of a model call after a 429/5xx, with backoff. */
  maxRetries: z.number().int().nonnegative(),
  /** How long a connection that is refused or breaks is tried again, before that counts as such an error. */
  reconnectMs: z.number().int().nonnegative(),
});
export type ChatTask = z.infer<typeof ChatTask>;

/** Further lines on stdin: what a person says meanwhile. */
export const ChatInput = z.object({ type: z.literal("message"), n: z.number().int(), by: z.string(), text: z.string() });
export type ChatInput = z.infer<typeof ChatInput>;

/** What the chat process writes to stdout, a line each. Exactly one `done` or `failed` comes last. */
export const ChatMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  /** `label`: for people, e.g. `edit src/sum.js`. `input` is cut. */
  z.object({ type: z.literal("tool"), id: z.string(), name: z.string(), label: z.string(), input: z.string() }),
  /** `output` is cut. */
  z.object({ type: z.literal("tool-result"), id: z.string(), name: z.string(), output: z.string() }),
  /** Of one call, as the endpoint reported it; a figure it did not report is absent. */
  z.object({
    type: z.literal("usage"),
    turn: z.number().int(),
    inputTokens: z.number().int().optional(),
    cachedInputTokens: z.number().int().optional(),
    outputTokens: z.number().int().optional(),
  }),
  /** A person's message has become part of the conversation: the model's next call has it. */
  ChatInput,
  z.object({ type: z.literal("done"), summary: z.string() }),
  z.object({ type: z.literal("failed"), because: z.enum(["agent", "provider", "budget", "internal"]), message: z.string() }),
]);
export type ChatMessage = z.infer<typeof ChatMessage>;

/** Keeps every message well under the host's longest line, also when JSON doubles each character. */
export const FIELD_LIMIT = 8000;

export const cut = (text: string, limit = FIELD_LIMIT): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}... (${text.length - limit} more characters)`;
