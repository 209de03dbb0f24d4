import { isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import { lyingThere } from "../media.ts";
import {
  CannotSay,
  numberOf,
  strings,
  Turns,
  type Choice,
  type Content,
  type Lost,
  type Media,
  type Part,
  type Question,
  type Tool,
} from "../question.ts";
import type { TranslateOptions } from "../contract.ts";

const known = new Set([
  "model", "messages", "system", "tools", "tool_choice", "max_tokens", "stop_sequences", "temperature", "top_p", "top_k", "stream", "thinking",
  "output_config", "output_format",
]); // prettier-ignore

/** Anthropic messages. */
export function readMessagesRequest(body: Json, { model }: TranslateOptions, lost: Lost): Question {
  lost.addOthers(body, known);
  for (const field of ["mcp_servers", "container"])
    if (body[field] !== undefined && body[field] !== null)
      throw new CannotSay(`${field} lies at another provider: the one that serves this call has none of it.`, field);
  const turns = new Turns();
  turns.add("system", ...contentOf(body.system, lost));
  for (const message of objects(body.messages)) addMessage(turns, message, lost);
  const config = objectOf(body.output_config);
  lost.addOthers(config, new Set(["format"]), "output_config.");
  if (isObject(body.thinking) && body.thinking["type"] !== "disabled") lost.add("thinking");
  const format = objectOf(config.format ?? body.output_format);
  const choice = objectOf(body.tool_choice);
  return {
    turns: turns.list,
    tools: objects(body.tools).flatMap((tool) => toolsOf(tool, lost)),
    choice: choiceOf(choice),
    parallel: choice.disable_parallel_tool_use === true ? false : undefined,
    stop: strings(body.stop_sequences),
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    topK: numberOf(body.top_k),
    maxOutput: numberOf(body.max_tokens),
    shape: format.type === "json_schema" ? { kind: "schema", name: "answer", schema: objectOf(format.schema) } : undefined,
    model: textIn(body.model) || model,
    stream: body.stream === true,
    tellsUsage: true,
  };
}

function addMessage(turns: Turns, { role, content }: Json, lost: Lost): void {
  if (role !== "user" && role !== "assistant" && role !== "system")
    throw new CannotSay(`A message of the role ${String(role)} cannot be translated.`, "messages");
  if (typeof content === "string") return turns.add(role, { kind: "text", text: content });
  turns.add(role, ...objects(content).flatMap((block) => partsOf(block, lost)));
}

function partsOf(block: Json, lost: Lost): Part[] {
  switch (block.type) {
    case "tool_use":
      return [{ kind: "call", id: textIn(block.id), name: textIn(block.name), args: JSON.stringify(block.input ?? {}) }];
    case "tool_result": {
      if (block.cache_control) lost.add("cache_control");
      const content = contentOf(block.content, lost);
      return [{ kind: "result", id: textIn(block.tool_use_id), name: "", content, isError: block.is_error === true }];
    }
    default:
      return contentOf([block], lost);
  }
}

function contentOf(content: unknown, lost: Lost): Content[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return objects(content).flatMap((block): Content[] => {
    if (block.cache_control) lost.add("cache_control");
    const source = objectOf(block.source);
    switch (block.type) {
      case "text":
        return [{ kind: "text", text: textIn(block.text) }];
      case "image":
        return [{ kind: "image", media: mediaOf(source) }];
      case "document":
        if (source.type === "text") return [{ kind: "text", text: textIn(source.data) }];
        if (source.type === "content") return contentOf(source.content, lost);
        return [{ kind: "file", media: mediaOf(source), name: textIn(block.title) || undefined }];
      case "thinking":
      case "redacted_thinking":
        lost.add("thinking of earlier answers");
        return [];
      default:
        // What the provider's own tools said.
        lost.add(`content: ${String(block.type)}`);
        return [];
    }
  });
}

function mediaOf(source: Json): Media {
  if (source.type === "url") return { kind: "url", url: textIn(source.url) };
  if (source.type !== "base64") throw lyingThere("A file");
  return { kind: "base64", mediaType: textIn(source.media_type), data: textIn(source.data) };
}

function toolsOf(tool: Json, lost: Lost): Tool[] {
  if (tool.cache_control) lost.add("cache_control");
  if (tool.type !== undefined && tool.type !== null && tool.type !== "custom") {
    lost.add(`tools: ${textIn(tool.type)}`);
    return [];
  }
  const strict = tool.strict === true ? true : undefined;
  return [{ name: textIn(tool.name), description: textIn(tool.description) || undefined, schema: objectOf(tool.input_schema), strict }];
}

function choiceOf({ type, name }: Json): Choice | undefined {
  if (type === "auto" || type === "none") return { kind: type };
  if (type === "any") return { kind: "required" };
  return type === "tool" ? { kind: "one", name: textIn(name) } : undefined;
}
