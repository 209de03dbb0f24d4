import { customInput } from "../custom-tool.ts";
import type { Answer, AnswerStream, AnswerWriter, End, Said, StreamEvent, Wording } from "../answer.ts";
import { given } from "../question.ts";
import type { Json } from "../../wire/wire.ts";

/** OpenAI responses. Reasoning comes as its summary, without the encrypted block that only its own provider makes. */
export function responsesAnswerWriter(wording: Wording): AnswerWriter {
  return {
    whole: ({ said, end, usage }) =>
      responseJson(
        wording,
        said.map((part, i) => itemOf(wording, part, i)),
        end,
        usage,
      ),
    stream: () => stream(wording),
  };
}

const incomplete: Readonly<Partial<Record<End, string>>> = { length: "max_output_tokens", refused: "content_filter" };

/** `end` absent: it is still being said. */
function responseJson({ id, at, model }: Wording, output: readonly Json[], end: End | undefined, usage: Answer["usage"]): Json {
  const reason = end && incomplete[end];
  return given({
    id: `resp_${id}`,
    object: "response",
    created_at: Math.floor(at / 1000),
    status: end === undefined ? "in_progress" : reason === undefined ? "completed" : "incomplete",
    model,
    output,
    error: null,
    incomplete_details: reason === undefined ? null : { reason },
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    tool_choice: "auto",
    tools: [],
    usage: usage && {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: usage.thinking },
      total_tokens: usage.input + usage.output,
    },
  });
}

const partOf = (kind: "text" | "refusal", text: string): Json =>
  kind === "text" ? { type: "output_text", text, annotations: [], logprobs: [] } : { type: "refusal", refusal: text };

function itemOf({ id, toolOf }: Wording, part: Said, index: number, status = "completed"): Json {
  switch (part.kind) {
    case "text":
    case "refusal": {
      const content = status === "completed" ? [partOf(part.kind, part.text)] : [];
      return { type: "message", id: `msg_${id}_${index}`, role: "assistant", status, content };
    }
    case "thinking": {
      const summary = status === "completed" ? [{ type: "summary_text", text: part.text }] : [];
      return { type: "reasoning", id: `rs_${id}_${index}`, summary };
    }
    case "call": {
      const { name, namespace, isCustom } = toolOf(part.name);
      const head = { call_id: part.id, name, namespace, status };
      return isCustom
        ? given({ type: "custom_tool_call", id: `ctc_${id}_${index}`, ...head, input: customInput(part.args) })
        : given({ type: "function_call", id: `fc_${id}_${index}`, ...head, arguments: status === "completed" ? part.args || "{}" : "" });
    }
    default:
      return part satisfies never;
  }
}

interface OpenItem {
  index: number;
  said: Said;
}

/** Items are open side by side only where several tool calls are. */
function stream(wording: Wording): AnswerStream {
  const output: Json[] = [];
  const calls = new Map<number, OpenItem>();
  let open: OpenItem | undefined;
  let number = 0;
  const frame = (type: string, more: Json): StreamEvent => ({ event: type, data: { type, sequence_number: number++, ...more } });
  const begin = (said: Said): [OpenItem, StreamEvent] => {
    const item = { index: output.length, said };
    output.push({});
    return [
      item,
      frame("response.output_item.added", { output_index: item.index, item: itemOf(wording, said, item.index, "in_progress") }),
    ];
  };
  const end = ({ index, said }: OpenItem): StreamEvent[] => {
    const item = itemOf(wording, said, index);
    output[index] = item;
    return [
      ...lastOf(said, item, index).map(([type, more]) => frame(type, more)),
      frame("response.output_item.done", { output_index: index, item }),
    ];
  };
  const endText = (): StreamEvent[] => {
    const events = open ? end(open) : [];
    open = undefined;
    return events;
  };
  const endCall = (at: number): StreamEvent[] => {
    const call = calls.get(at);
    return call && calls.delete(at) ? end(call) : [];
  };
  return {
    open: () =>
      ["response.created", "response.in_progress"].map((type) =>
        frame(type, { response: responseJson(wording, [], undefined, undefined) }),
      ),
    piece(piece) {
      switch (piece.kind) {
        case "text":
        case "refusal":
        case "thinking": {
          const events: StreamEvent[] = [];
          if (open?.said.kind !== piece.kind) {
            events.push(...endText());
            const [item, added] = begin({ kind: piece.kind, text: "" });
            open = item;
            events.push(added, frame(...firstOf(piece.kind, wording, item.index)));
          }
          const now = open;
          if (!now || now.said.kind === "call") return events;
          now.said.text += piece.text;
          return [...events, frame(deltaNames[piece.kind], { ...whereOf(piece.kind, wording, now.index), delta: piece.text })];
        }
        case "call": {
          const before = endText();
          const [item, added] = begin({ kind: "call", id: piece.id, name: piece.name, args: "" });
          calls.set(piece.at, item);
          return [...before, added];
        }
        case "args": {
          const call = calls.get(piece.at);
          if (call?.said.kind !== "call") return [];
          call.said.args += piece.text;
          if (wording.toolOf(call.said.name).isCustom) return [];
          return [
            frame("response.function_call_arguments.delta", {
              item_id: `fc_${wording.id}_${call.index}`,
              output_index: call.index,
              delta: piece.text,
            }),
          ];
        }
        case "call-end":
          return endCall(piece.at);
        default:
          return piece satisfies never;
      }
    },
    close(ended, _, usage) {
      const before = [...endText(), ...[...calls.keys()].flatMap(endCall)];
      const isCut = incomplete[ended] !== undefined;
      return [
        ...before,
        frame(isCut ? "response.incomplete" : "response.completed", { response: responseJson(wording, output, ended, usage) }),
      ];
    },
    fail(message) {
      const response = { ...responseJson(wording, [], undefined, undefined), status: "failed", error: { code: "server_error", message } };
      return [frame("response.failed", { response })];
    },
  };
}

type TextKind = "text" | "refusal" | "thinking";

const deltaNames: Readonly<Record<TextKind, string>> = {
  text: "response.output_text.delta",
  refusal: "response.refusal.delta",
  thinking: "response.reasoning_summary_text.delta",
};

const whereOf = (kind: TextKind, { id }: Wording, index: number): Json =>
  kind === "thinking"
    ? { item_id: `rs_${id}_${index}`, output_index: index, summary_index: 0 }
    : { item_id: `msg_${id}_${index}`, output_index: index, content_index: 0 };

const firstOf = (kind: TextKind, wording: Wording, index: number): [string, Json] =>
  kind === "thinking"
    ? ["response.reasoning_summary_part.added", { ...whereOf(kind, wording, index), part: { type: "summary_text", text: "" } }]
    : ["response.content_part.added", { ...whereOf(kind, wording, index), part: partOf(kind, "") }];

/** What comes before `output_item.done`. */
function lastOf(said: Said, item: Json, output_index: number): [string, Json][] {
  const where = { item_id: item.id, output_index };
  switch (said.kind) {
    case "text":
    case "refusal": {
      const at = { ...where, content_index: 0 };
      const done: [string, Json] =
        said.kind === "text"
          ? ["response.output_text.done", { ...at, text: said.text }]
          : ["response.refusal.done", { ...at, refusal: said.text }];
      return [done, ["response.content_part.done", { ...at, part: partOf(said.kind, said.text) }]];
    }
    case "thinking": {
      const at = { ...where, summary_index: 0 };
      return [
        ["response.reasoning_summary_text.done", { ...at, text: said.text }],
        ["response.reasoning_summary_part.done", { ...at, part: { type: "summary_text", text: said.text } }],
      ];
    }
    case "call":
      return item.type === "custom_tool_call"
        ? [
            ["response.custom_tool_call_input.delta", { ...where, delta: item.input }],
            ["response.custom_tool_call_input.done", { ...where, input: item.input }],
          ]
        : [["response.function_call_arguments.done", { ...where, name: item.name, arguments: item.arguments }]];
    default:
      return said satisfies never;
  }
}
