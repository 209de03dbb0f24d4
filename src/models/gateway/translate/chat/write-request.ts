import { urlOf } from "../media.ts";
import {
  CannotSay,
  given,
  isContent,
  textOf,
  withoutSystem,
  type Content,
  type Lost,
  type Question,
  type ToolCall,
  type ToolResult,
  type Turn,
} from "../question.ts";
import type { TranslateOptions } from "../contract.ts";
import { callId, toolName } from "../tool-names.ts";
import type { Json } from "../../wire/wire.ts";

/** OpenAI takes no more. */
const mostStops = 4;

/** OpenAI chat completions. */
export function writeChatRequest(question: Question, { model, maxOutputTokens, provider }: TranslateOptions, lost: Lost): Json {
  const { system, turns } = withoutSystem(question.turns, lost);
  const { shape, choice, tools } = question;
  if (question.topK !== undefined) lost.add("top_k");
  if (question.stop.length > mostStops) lost.add("stop sequences after the fourth");
  return given({
    model,
    // Templates of local models take one system message, and only as the first.
    messages: [...(system === "" ? [] : [{ role: "system", content: system }]), ...turns.flatMap(messagesOf)],
    tools:
      tools.length === 0
        ? undefined
        : tools.map(({ name, description, schema, strict }) => ({
            type: "function",
            function: given({ name: toolName(name), description, parameters: schema, strict }),
          })),
    tool_choice: choice?.kind === "one" ? { type: "function", function: { name: toolName(choice.name) } } : choice?.kind,
    parallel_tool_calls: question.parallel,
    stop: question.stop.length > 0 ? question.stop.slice(0, mostStops) : undefined,
    temperature: question.temperature,
    top_p: question.topP,
    seed: question.seed,
    presence_penalty: question.presencePenalty,
    frequency_penalty: question.frequencyPenalty,
    [provider === "openai" ? "max_completion_tokens" : "max_tokens"]: Math.min(question.maxOutput ?? maxOutputTokens, maxOutputTokens),
    response_format:
      shape?.kind === "schema"
        ? { type: "json_schema", json_schema: given({ name: shape.name, schema: shape.schema, strict: shape.strict }) }
        : shape && { type: "json_object" },
    reasoning_effort: question.effort,
    ...(question.stream && { stream: true, stream_options: { include_usage: true } }),
  });
}

function messagesOf({ role, parts }: Turn): Json[] {
  if (role === "assistant") {
    const calls = parts.filter((part): part is ToolCall => part.kind === "call");
    const text = textOf(parts);
    const tool_calls = calls.map(({ id, name, args }) => ({
      id: callId(id),
      type: "function",
      function: { name: toolName(name), arguments: args === "" ? "{}" : args },
    }));
    return [given({ role, content: text === "" ? null : text, tool_calls: calls.length > 0 ? tool_calls : undefined })];
  }
  const results = parts.filter((part): part is ToolResult => part.kind === "result");
  const content = parts.filter(isContent);
  // A tool's message is text only: its images come right after, as the user's.
  const shown = results.flatMap(({ id, content: all }): Content[] => {
    const others = all.filter((part) => part.kind !== "text");
    return others.length === 0 ? [] : [{ kind: "text", text: `Shown by the tool call ${callId(id)}:` }, ...others];
  });
  const all = [...shown, ...content];
  return [
    ...results.map((result) => ({ role: "tool", tool_call_id: callId(result.id), content: textOf(result.content) })),
    ...(all.length > 0 ? [{ role: "user", content: contentOf(all) }] : []),
  ];
}

/** Text alone goes as one string: that is what every server's template takes. */
function contentOf(content: readonly Content[]): string | Json[] {
  if (content.every((part) => part.kind === "text")) return textOf(content);
  return content.map((part) => {
    switch (part.kind) {
      case "text":
        return { type: "text", text: part.text };
      case "image":
        return { type: "image_url", image_url: { url: urlOf(part.media) } };
      case "file":
        if (part.media.kind === "url") throw new CannotSay("A file by its address cannot be said in the chat format. Send its content.");
        return { type: "file", file: { filename: part.name ?? "file", file_data: urlOf(part.media) } };
      default:
        return part satisfies never;
    }
  });
}
