import type { Json } from "../wire/wire.ts";

/** How an answer ended: by itself, for tools to be called, at a stop sequence, at the cap, or because the model would not answer. */
export type End = "stop" | "calls" | "stop-sequence" | "length" | "refused";

export interface Usage {
  /** All of it, what was read from a cache or written to one included. */
  input: number;
  cached: number;
  cacheWrite: number;
  /** Thinking included. */
  output: number;
  thinking: number;
}

/** A piece of an answer, in no format. A tool call is known by `at`, counted from 0 in the order of their beginnings. */
export type Piece =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "refusal"; text: string }
  | { kind: "call"; at: number; id: string; name: string }
  | { kind: "args"; at: number; text: string }
  | { kind: "call-end"; at: number }
  | { kind: "usage"; usage: Usage }
  /** Nothing more is said; figures may follow. */
  | { kind: "end"; end: End; stopSequence?: string | undefined }
  /** The format's own mark that nothing follows at all. */
  | { kind: "over" }
  | { kind: "failed"; message: string };

export type Said = { kind: "text" | "thinking" | "refusal"; text: string } | { kind: "call"; id: string; name: string; args: string };

/** A whole answer. */
export interface Answer {
  said: readonly Said[];
  end: End;
  stopSequence?: string | undefined;
  usage?: Usage | undefined;
}

/** What an answer is worded with. */
export interface Wording {
  /** Of the answer; unlike others'. */
  id: string;
  /** Epoch milliseconds. */
  at: number;
  /** As the agent calls it. */
  model: string;
  tellsUsage: boolean;
  /** Tools by the name the upstream knows; what the agent called them. */
  toolOf(name: string): { name: string; namespace?: string | undefined; isCustom: boolean };
}

/** Reads what an upstream says, event by event. */
export interface AnswerReader {
  /** An answer in one piece. */
  whole(answer: Json): Piece[];
  event(event: Json): Piece[];
}

/** Words an answer in the agent's format. */
export interface AnswerWriter {
  whole(answer: Answer): Json;
  stream(): AnswerStream;
}

export interface AnswerStream {
  /** `usage`: where the upstream tells it that early. */
  open(usage: Usage | undefined): StreamEvent[];
  piece(piece: Exclude<Piece, { kind: "usage" | "end" | "over" | "failed" }>): StreamEvent[];
  close(end: End, stopSequence: string | undefined, usage: Usage | undefined): StreamEvent[];
  fail(message: string): StreamEvent[];
}

export interface StreamEvent {
  event?: string | undefined;
  data: Json | "[DONE]";
}

/** All pieces of one answer as a whole. */
export function collect(pieces: readonly Piece[]): Answer | { failed: string } {
  const said: Said[] = [];
  const calls = new Map<number, Extract<Said, { kind: "call" }>>();
  let usage: Usage | undefined;
  let ended: Extract<Piece, { kind: "end" }> | undefined;
  for (const piece of pieces) {
    switch (piece.kind) {
      case "text":
      case "thinking":
      case "refusal": {
        const last = said.at(-1);
        if (last?.kind === piece.kind) last.text += piece.text;
        else if (piece.text !== "") said.push({ kind: piece.kind, text: piece.text });
        break;
      }
      case "call": {
        const call = { kind: "call" as const, id: piece.id, name: piece.name, args: "" };
        calls.set(piece.at, call);
        said.push(call);
        break;
      }
      case "args": {
        const call = calls.get(piece.at);
        if (call) call.args += piece.text;
        break;
      }
      case "usage":
        ({ usage } = piece);
        break;
      case "end":
        ended = piece;
        break;
      case "failed":
        return { failed: piece.message };
      case "call-end":
      case "over":
        break;
      default:
        piece satisfies never;
    }
  }
  for (const call of calls.values()) call.args ||= "{}";
  return { said, usage, end: endOf(ended?.end, calls.size > 0), stopSequence: ended?.stopSequence };
}

/** Some servers say `stop` where tools are to be called. */
export const endOf = (end: End | undefined, hasCalls: boolean): End =>
  end === "stop" || end === undefined ? (hasCalls ? "calls" : "stop") : end;
