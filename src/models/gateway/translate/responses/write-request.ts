import type { Json } from "../../wire/wire.ts";
import type { TranslateOptions } from "../contract.ts";
import { urlOf } from "../media.ts";
import { given, textOf, type Content, type Lost, type Question, type Turn } from "../question.ts";
import { callId, toolName } from "../tool-names.ts";

/** OpenAI responses. Nothing is kept at the provider. */
export function writeResponsesRequest(question: Question, { model, maxOutputTokens }: TranslateOptions, lost: Lost): Json {
  const { shape, choice, tools } = question;
  for (const field of ["topK", "seed", "presencePenalty", "frequencyPenalty"] as const) if (question[field] !== undefined) lost.add(field);
  if (question.stop.length > 0) lost.add("stop sequences");
  const first = question.turns[0];
  const leads = first?.role === "system";
  return given({
    model,
    instructions: leads ? textOf(first.parts) : undefined,
    input: question.turns.slice(leads ? 1 : 0).flatMap(itemsOf),
    tools:
      tools.length === 0
        ? undefined
        : // Without the word a schema is taken for a strict one.
          tools.map(({ name, description, schema, strict = false }) =>
            given({ type: "function", name: toolName(name), description, parameters: schema, strict }),
          ),
    tool_choice: choice?.kind === "one" ? { type: "function", name: toolName(choice.name) } : choice?.kind,
    parallel_tool_calls: question.parallel,
    temperature: question.temperature,
    top_p: question.topP,
    max_output_tokens: Math.min(question.maxOutput ?? maxOutputTokens, maxOutputTokens),
    text:
      shape?.kind === "schema"
        ? { format: given({ type: "json_schema", name: shape.name, schema: shape.schema, strict: shape.strict ?? false }) }
        : shape && { format: { type: "json_object" } },
    reasoning: question.effort === undefined ? undefined : { effort: question.effort },
    store: false,
    stream: question.stream ? true : undefined,
  });
}

/** A turn's texts are one message up to the next tool call or result. */
function itemsOf({ role, parts }: Turn): Json[] {
  const items: Json[] = [];
  let content: Content[] = [];
  const flush = (): void => {
    if (content.length === 0) return;
    const says = role === "system" ? "developer" : role;
    items.push({ type: "message", role: says, content: content.map((part) => contentPart(part, role)) });
    content = [];
  };
  for (const part of parts) {
    switch (part.kind) {
      case "call":
        flush();
        items.push({ type: "function_call", call_id: callId(part.id), name: toolName(part.name), arguments: part.args || "{}" });
        break;
      case "result": {
        flush();
        const isText = part.content.every((inner) => inner.kind === "text");
        const output = isText ? textOf(part.content) : part.content.map((inner) => contentPart(inner, "user"));
        items.push({ type: "function_call_output", call_id: callId(part.id), output });
        break;
      }
      default:
        content.push(part);
    }
  }
  flush();
  return items;
}

function contentPart(part: Content, role: Turn["role"]): Json {
  switch (part.kind) {
    case "text":
      return { type: role === "assistant" ? "output_text" : "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: urlOf(part.media), detail: "auto" };
    case "file":
      return part.media.kind === "url"
        ? { type: "input_file", file_url: part.media.url }
        : { type: "input_file", filename: part.name ?? "file", file_data: urlOf(part.media) };
    default:
      return part satisfies never;
  }
}
