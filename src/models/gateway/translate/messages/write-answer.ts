import { argumentsOf, CannotSay } from "../question.ts";
import { endOf, type AnswerStream, type AnswerWriter, type End, type Said, type StreamEvent, type Usage, type Wording } from "../answer.ts";
import type { Json } from "../../wire/wire.ts";

const reasons: Readonly<Record<End, string>> = {
  stop: "end_turn",
  "stop-sequence": "stop_sequence",
  calls: "tool_use",
  length: "max_tokens",
  refused: "refusal",
};

const usageJson = ({ input, cached, cacheWrite, output }: Usage): Json => ({
  input_tokens: Math.max(0, input - cached - cacheWrite),
  cache_read_input_tokens: cached,
  cache_creation_input_tokens: cacheWrite,
  output_tokens: output,
});

const nothing: Usage = { input: 0, cached: 0, cacheWrite: 0, output: 0, thinking: 0 };

/** Anthropic messages. Thinking has no signature: it is another model's, and none is made up. */
export function messagesAnswerWriter(wording: Wording): AnswerWriter {
  const { id, model, toolOf } = wording;
  const head = { id: `msg_${id}`, type: "message", role: "assistant", model };
  const blockOf = (part: Said): Json => {
    switch (part.kind) {
      case "text":
      case "refusal":
        return { type: "text", text: part.text };
      case "thinking":
        return { type: "thinking", thinking: part.text, signature: "" };
      case "call":
        return { type: "tool_use", id: part.id, name: toolOf(part.name).name, input: argumentsOf(part.args) };
      default:
        return part satisfies never;
    }
  };
  return {
    whole: ({ said, end, stopSequence, usage }) => ({
      ...head,
      content: said.map(blockOf),
      ...stopJson(end, stopSequence),
      usage: usageJson(usage ?? nothing),
    }),
    stream: () => stream(head, wording),
  };
}

/** At which sequence it stopped OpenAI's formats do not tell; without it this is no `stop_sequence`. */
const stopJson = (end: End, stopSequence: string | undefined): Json => ({
  stop_reason: end === "stop-sequence" && stopSequence === undefined ? "end_turn" : reasons[end],
  stop_sequence: stopSequence ?? null,
});

/** One block is open at a time: a text, a thinking, or the tool call of this number. */
function stream(head: Json, { toolOf }: Wording): AnswerStream {
  let index = -1;
  let open: "text" | "thinking" | number | undefined;
  let calls = 0;
  const frame = (type: string, more: Json): StreamEvent => ({ event: type, data: { type, ...more } });
  const stop = (): StreamEvent[] => {
    if (open === undefined) return [];
    open = undefined;
    return [frame("content_block_stop", { index })];
  };
  const start = (what: typeof open, content_block: Json): StreamEvent[] => {
    const before = stop();
    index += 1;
    open = what;
    return [...before, frame("content_block_start", { index, content_block })];
  };
  const delta = (said: Json): StreamEvent => frame("content_block_delta", { index, delta: said });
  return {
    open: (usage) => {
      const message = {
        ...head,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: usageJson({ ...(usage ?? nothing), output: 1 }),
      };
      return [frame("message_start", { message })];
    },
    piece(piece) {
      switch (piece.kind) {
        case "text":
        case "refusal":
          return [...(open === "text" ? [] : start("text", { type: "text", text: "" })), delta({ type: "text_delta", text: piece.text })];
        case "thinking":
          return [
            ...(open === "thinking" ? [] : start("thinking", { type: "thinking", thinking: "", signature: "" })),
            delta({ type: "thinking_delta", thinking: piece.text }),
          ];
        case "call":
          calls += 1;
          return start(piece.at, { type: "tool_use", id: piece.id, name: toolOf(piece.name).name, input: {} });
        case "args":
          // The format has no way back to a block that is closed.
          if (open !== piece.at) throw new CannotSay("The model mixes the arguments of several tool calls, which this format cannot say.");
          return [delta({ type: "input_json_delta", partial_json: piece.text })];
        case "call-end":
          return open === piece.at ? stop() : [];
        default:
          return piece satisfies never;
      }
    },
    close: (end, stopSequence, usage) => [
      ...stop(),
      frame("message_delta", { delta: stopJson(endOf(end, calls > 0), stopSequence), usage: usageJson(usage ?? nothing) }),
      frame("message_stop", {}),
    ],
    fail: (message) => [frame("error", { error: { type: "api_error", message } })],
  };
}
