import type { Piece } from "./pieces.ts";
import type { ScriptedRequest } from "./script.ts";

/** The wire formats it speaks: OpenAI chat, OpenAI responses, Anthropic messages, Gemini. */
export type DialectName = "chat" | "responses" | "messages" | "gemini";

export interface ToolCallOut {
  id: string;
  name: string;
  /** JSON, unless the script gave other text. */
  arguments: string;
}

/** What is reported; `promptTokens` includes cached ones and cache writes. */
export interface ScriptedUsage {
  promptTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  completionTokens: number;
}

/** An answer ready to be worded. */
export interface Reply {
  /** Number of the served call. */
  n: number;
  request: ScriptedRequest;
  text: string | undefined;
  calls: readonly ToolCallOut[];
  /** In OpenAI's words: `stop`, `tool_calls`, `length`, `content_filter`. */
  finish: string;
  /** `undefined`: nothing is reported. */
  usage: ScriptedUsage | undefined;
}

/** One server-sent event. */
export interface Frame {
  event?: string;
  data: unknown;
}

/** An answer as a stream: `open`, then every piece in order, then `close`. */
export interface ReplyStream {
  /** When the input figures are told. */
  tellsInput: "first" | "every piece" | "at its end";
  open(): Frame[];
  piece(piece: Piece, sent: readonly Piece[]): Frame[];
  close(sent: readonly Piece[]): Frame[];
  /** Ends a stream that came to its end. */
  last: string;
}

/** A wire format: how requests are read and answers worded. */
export interface Dialect {
  readonly name: DialectName;
  /** Sends each tool call in one piece. */
  readonly wholeCalls: boolean;
  /** `model`: from the path, where the format has it there. */
  read(body: Readonly<Record<string, unknown>>, model: string): Omit<ScriptedRequest, "dialect" | "headers" | "body">;
  isStream(body: Readonly<Record<string, unknown>>): boolean;
  /** The client of this request is sent usage at the end of a stream. */
  reportsUsage(body: Readonly<Record<string, unknown>>): boolean;
  whole(reply: Reply): unknown;
  stream(reply: Reply): ReplyStream;
  error(status: number, message: string): unknown;
}

export type Json = Readonly<Record<string, unknown>>;

export const objects = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((v): v is Json => typeof v === "object" && v !== null) : [];

/** The text of a string, or of content parts joined. */
export const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : objects(content)
        .map((part) => (typeof part.text === "string" ? part.text : ""))
        .join("");

export const stringOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Arguments as an object; text that is none comes as `input`. */
export function argumentsOf(call: ToolCallOut): Json {
  try {
    const json: unknown = JSON.parse(call.arguments);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Json;
  } catch {
    // Text the script wants sent as it is.
  }
  return { input: call.arguments };
}
