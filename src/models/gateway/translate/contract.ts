import type { Json } from "../wire/wire.ts";

/** What a translation needs beside the agent's request. */
export interface TranslateOptions {
  /** As the upstream calls it. */
  model: string;
  /** Cap on the answer; it is asked for where the request asks for more, or for nothing. */
  maxOutputTokens: number;
  /** Unlike that of every other call: ids of the answer and of tool calls that come without one are made from it. */
  id: string;
  /** Epoch milliseconds, for formats that date an answer. */
  at: number;
  /** The upstream's provider: OpenAI's own models want another name for the cap than most servers know. */
  provider?: string | undefined;
  /** Model and streaming, where the agent's path says them. */
  path?: { model: string; stream: boolean } | undefined;
  /** What the upstream wants back word for word and the agent's format has no place for; shared by the calls of one agent. */
  seals?: Seals | undefined;
}

/** Opaque blocks of an upstream (Gemini's thought signatures), by tool call id as the agent knows it. */
export interface Seals {
  get(callId: string): string | undefined;
  set(callId: string, seal: string): void;
}

/** One server-sent event for the agent. */
export interface AgentEvent {
  event?: string | undefined;
  data: Json | "[DONE]";
}

/** The answers to one request, as the agent reads them. */
export interface Answers {
  /** An answer in one piece. `status` is not 200 where the upstream says in it that it failed. */
  answer(upstream: Json): { status: number; body: Json };
  /** One streamed answer. */
  stream(): StreamTranslation;
}

export interface StreamTranslation {
  /** What the agent gets for one parsed event of the upstream, at once. */
  push(event: Json): AgentEvent[];
  /** The upstream's stream came to its end: what closes the agent's. Nothing where the answer was not complete. */
  end(): AgentEvent[];
  /** Ends the agent's stream with an error. Nothing may follow. */
  fail(message: string): AgentEvent[];
}

export type Translated =
  | { ok: true; body: Json; stream: boolean; lost: readonly string[]; answers: Answers }
  /** It cannot be said in the other format without changing what it means. */
  | { ok: false; message: string; param: string | null };

/** From the wire format of an agent to that of an upstream, and back. Pure. */
export interface Translation {
  /** `lost`: names of what the upstream is not told, because its format has no word for it. */
  request(agentBody: Json, options: TranslateOptions): Translated;
  /** An upstream's error, in the agent's format. */
  error(status: number, upstream: Json): Json;
}
