import { customInput } from "../custom-tool.ts";
import { endOf, type AnswerStream, type AnswerWriter, type End, type StreamEvent, type Usage, type Wording } from "../answer.ts";
import type { Json } from "../../wire/wire.ts";

const reasons: Readonly<Record<End, string>> = {
  stop: "stop",
  "stop-sequence": "stop",
  calls: "tool_calls",
  length: "length",
  refused: "content_filter",
};

const usageJson = (usage: Usage): Json => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached },
  completion_tokens_details: { reasoning_tokens: usage.thinking },
});

/** OpenAI chat completions. Thinking goes where most servers of this format put it, in `reasoning_content`. */
export function chatAnswerWriter(wording: Wording): AnswerWriter {
  const { id, at, model, toolOf } = wording;
  const head = { id: `chatcmpl-${id}`, created: Math.floor(at / 1000), model };
  return {
    whole({ said, end, usage }) {
      const all = (kind: string): string | null =>
        said.flatMap((part) => (part.kind === kind && "text" in part ? [part.text] : [])).join("") || null;
      const calls = said.flatMap((part): Json[] => {
        if (part.kind !== "call") return [];
        const { name, isCustom } = toolOf(part.name);
        return isCustom
          ? [{ id: part.id, type: "custom", custom: { name, input: customInput(part.args) } }]
          : [{ id: part.id, type: "function", function: { name, arguments: part.args || "{}" } }];
      });
      const [thinking, refusal] = [all("thinking"), all("refusal")];
      const message = {
        role: "assistant",
        content: all("text"),
        refusal,
        ...(thinking !== null && { reasoning_content: thinking }),
        ...(calls.length > 0 && { tool_calls: calls }),
      };
      return {
        ...head,
        object: "chat.completion",
        choices: [{ index: 0, message, logprobs: null, finish_reason: reasons[end] }],
        ...(usage && { usage: usageJson(usage) }),
      };
    },
    stream: () => stream(head, wording),
  };
}

function stream(head: Json, { tellsUsage, toolOf }: Wording): AnswerStream {
  const customs = new Map<number, string>();
  const empty = new Set<number>();
  let calls = 0;
  const chunk = (more: Json): StreamEvent => ({ data: { ...head, object: "chat.completion.chunk", ...more } });
  const delta = (said: Json, reason: string | null = null): StreamEvent =>
    chunk({ choices: [{ index: 0, delta: said, finish_reason: reason }] });
  const rest = (at: number): StreamEvent[] => {
    const input = customs.get(at);
    const had = customs.delete(at);
    if (had) return [delta({ tool_calls: [{ index: at, custom: { input: customInput(input ?? "") } }] })];
    return empty.delete(at) ? [delta({ tool_calls: [{ index: at, function: { arguments: "{}" } }] })] : [];
  };
  return {
    open: () => [delta({ role: "assistant", content: "" })],
    piece(piece) {
      switch (piece.kind) {
        case "text":
          return [delta({ content: piece.text })];
        case "thinking":
          return [delta({ reasoning_content: piece.text })];
        case "refusal":
          return [delta({ refusal: piece.text })];
        case "call": {
          calls += 1;
          const { name, isCustom } = toolOf(piece.name);
          if (isCustom) customs.set(piece.at, "");
          else empty.add(piece.at);
          const form = isCustom ? { type: "custom", custom: { name, input: "" } } : { type: "function", function: { name, arguments: "" } };
          return [delta({ tool_calls: [{ index: piece.at, id: piece.id, ...form }] })];
        }
        case "args": {
          const input = customs.get(piece.at);
          empty.delete(piece.at);
          if (input === undefined) return [delta({ tool_calls: [{ index: piece.at, function: { arguments: piece.text } }] })];
          customs.set(piece.at, input + piece.text);
          return [];
        }
        case "call-end":
          return rest(piece.at);
        default:
          return piece satisfies never;
      }
    },
    close(end, _, usage) {
      const late = [...customs.keys(), ...empty].flatMap(rest);
      const figures = tellsUsage && usage ? [chunk({ choices: [], usage: usageJson(usage) })] : [];
      return [...late, delta({}, reasons[endOf(end, calls > 0)]), ...figures, { data: "[DONE]" }];
    },
    fail: (message) => [{ data: { error: { message, type: "upstream_error", code: "stream_interrupted", param: null } } }],
  };
}
