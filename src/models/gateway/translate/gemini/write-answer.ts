import type { AnswerStream, AnswerWriter, End, StreamEvent, Usage, Wording } from "../answer.ts";
import { argumentsOf, given } from "../question.ts";
import type { Json } from "../../wire/wire.ts";

const reasons: Readonly<Record<End, string>> = {
  stop: "STOP",
  "stop-sequence": "STOP",
  calls: "STOP",
  length: "MAX_TOKENS",
  refused: "SAFETY",
};

const usageJson = ({ input, cached, output, thinking }: Usage): Json => ({
  promptTokenCount: input,
  cachedContentTokenCount: cached,
  candidatesTokenCount: Math.max(0, output - thinking),
  thoughtsTokenCount: thinking,
  totalTokenCount: input + output,
});

/** Gemini's generateContent. The format has tool calls whole, so one waits for the end of its arguments; texts wait for nothing. */
export function geminiAnswerWriter({ id, model, toolOf }: Wording): AnswerWriter {
  const chunk = (parts: readonly Json[], usage: Usage | undefined, finishReason?: string): Json =>
    given({
      candidates: [given({ content: { role: "model", parts }, finishReason, index: 0 })],
      usageMetadata: usage && usageJson(usage),
      modelVersion: model,
      responseId: id,
    });
  const callPart = (call: { id: string; name: string; args: string }): Json => ({
    functionCall: { id: call.id, name: toolOf(call.name).name, args: argumentsOf(call.args) },
  });
  return {
    whole: ({ said, end, usage }) =>
      chunk(
        said.map((part) =>
          part.kind === "call" ? callPart(part) : given({ text: part.text, thought: part.kind === "thinking" ? true : undefined }),
        ),
        usage,
        reasons[end],
      ),
    stream(): AnswerStream {
      const calls = new Map<number, { id: string; name: string; args: string }>();
      const event = (...of: Parameters<typeof chunk>): StreamEvent => ({ data: chunk(...of) });
      const whole = (at: number): Json[] => {
        const call = calls.get(at);
        return call && calls.delete(at) ? [callPart(call)] : [];
      };
      return {
        open: () => [],
        piece(piece) {
          switch (piece.kind) {
            case "text":
            case "refusal":
              return [event([{ text: piece.text }], undefined)];
            case "thinking":
              return [event([{ text: piece.text, thought: true }], undefined)];
            case "call":
              calls.set(piece.at, { id: piece.id, name: piece.name, args: "" });
              return [];
            case "args": {
              const call = calls.get(piece.at);
              if (call) call.args += piece.text;
              return [];
            }
            case "call-end": {
              const parts = whole(piece.at);
              return parts.length > 0 ? [event(parts, undefined)] : [];
            }
            default:
              return piece satisfies never;
          }
        },
        close: (end, _, usage) => [event([...calls.keys()].flatMap(whole), usage, reasons[end])],
        fail: (message) => [{ data: { error: { code: 500, message, status: "INTERNAL" } } }],
      };
    },
  };
}
