import { isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import { lyingThere, mediaOf } from "../media.ts";
import {
  CannotSay,
  numberOf,
  strings,
  Turns,
  type Choice,
  type Content,
  type Lost,
  type Part,
  type Question,
  type Shape,
  type Tool,
} from "../question.ts";
import type { TranslateOptions } from "../contract.ts";
import { customTool } from "../custom-tool.ts";

const known = new Set([
  "model", "messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls", "stop", "temperature", "top_p", "top_k", "seed",
  "presence_penalty", "frequency_penalty", "max_tokens", "max_completion_tokens", "response_format", "reasoning_effort", "stream",
  "stream_options", "n", "modalities",
]); // prettier-ignore

/** OpenAI chat completions. */
export function readChatRequest(body: Json, { model }: TranslateOptions, lost: Lost): Question {
  lost.addOthers(body, known);
  if ((body.n ?? 1) !== 1) throw new CannotSay("n above 1 cannot be said in the format of the model that serves this call.", "n");
  if (strings(body.modalities).some((modality) => modality !== "text"))
    throw new CannotSay("Only text can be asked of the model that serves this call.", "modalities");
  for (const field of ["functions", "function_call"])
    if (body[field] !== undefined) throw new CannotSay(`${field} cannot be translated. Use tools.`, field);
  const turns = new Turns();
  for (const message of objects(body.messages)) addMessage(turns, message, lost);
  return {
    turns: turns.list,
    tools: objects(body.tools).flatMap((tool) => toolsOf(tool, lost)),
    choice: choiceOf(body.tool_choice, lost),
    parallel: body.parallel_tool_calls === false ? false : undefined,
    stop: strings(body.stop),
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    topK: numberOf(body.top_k),
    seed: numberOf(body.seed),
    presencePenalty: numberOf(body.presence_penalty),
    frequencyPenalty: numberOf(body.frequency_penalty),
    maxOutput: numberOf(body.max_completion_tokens) ?? numberOf(body.max_tokens),
    shape: shapeOf(objectOf(body.response_format)),
    effort: textIn(body.reasoning_effort) || undefined,
    model: textIn(body.model) || model,
    stream: body.stream === true,
    tellsUsage: body.stream !== true || objectOf(body.stream_options)["include_usage"] === true,
  };
}

function addMessage(turns: Turns, message: Json, lost: Lost): void {
  switch (message.role) {
    case "system":
    case "developer":
      return turns.add("system", ...contentOf(message.content));
    case "user":
      return turns.add("user", ...contentOf(message.content));
    case "assistant": {
      if (message.reasoning_content ?? message.reasoning) lost.add("thinking of earlier answers");
      const refusal = textIn(message.refusal);
      return turns.add("assistant", ...contentOf(message.content), { kind: "text", text: refusal }, ...callsOf(message.tool_calls));
    }
    case "tool": {
      const result = { id: textIn(message.tool_call_id), name: textIn(message.name), content: contentOf(message.content) };
      return turns.add("user", { kind: "result", ...result, isError: false });
    }
    default:
      throw new CannotSay(`A message of the role ${String(message.role)} cannot be translated.`, "messages");
  }
}

const callsOf = (calls: unknown): Part[] =>
  objects(calls).map((call) => {
    const custom = isObject(call.custom) ? call.custom : undefined;
    const fn = custom ?? objectOf(call.function);
    const args = custom ? JSON.stringify({ input: textIn(custom.input) }) : textIn(fn.arguments);
    return { kind: "call", id: textIn(call.id), name: textIn(fn.name), args };
  });

function contentOf(content: unknown): Content[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  return objects(content).map((part): Content => {
    switch (part.type) {
      case "text":
        return { kind: "text", text: textIn(part.text) };
      case "refusal":
        return { kind: "text", text: textIn(part.refusal) };
      case "image_url":
        return { kind: "image", media: mediaOf(textIn(objectOf(part.image_url).url) || textIn(part.image_url)) };
      case "file": {
        const { file_data, filename } = objectOf(part.file);
        if (typeof file_data !== "string") throw lyingThere("A file");
        return { kind: "file", media: mediaOf(file_data), name: textIn(filename) || undefined };
      }
      default:
        throw new CannotSay(`Content of the type ${String(part.type)} cannot be translated.`, "messages");
    }
  });
}

function toolsOf(tool: Json, lost: Lost): Tool[] {
  if (tool.type === "custom") return [customTool(objectOf(tool.custom))];
  const fn = objectOf(tool.function);
  if (typeof fn.name !== "string") {
    lost.add(`tools: ${String(tool.type)}`);
    return [];
  }
  const strict = typeof fn.strict === "boolean" ? fn.strict : undefined;
  const description = textIn(fn.description) || undefined;
  return [{ name: fn.name, description, schema: isObject(fn.parameters) ? fn.parameters : { type: "object", properties: {} }, strict }];
}

function choiceOf(choice: unknown, lost: Lost): Choice | undefined {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice };
  const { type, function: fn, custom, allowed_tools } = objectOf(choice);
  const name = objectOf(fn ?? custom).name;
  if (typeof name === "string") return { kind: "one", name };
  if (type !== "allowed_tools") return undefined;
  lost.add("tool_choice.allowed_tools");
  return { kind: objectOf(allowed_tools).mode === "required" ? "required" : "auto" };
}

function shapeOf({ type, json_schema }: Json): Shape | undefined {
  if (type === "json_object") return { kind: "json" };
  if (type !== "json_schema") return undefined;
  const { name, schema, strict } = objectOf(json_schema);
  return { kind: "schema", name: textIn(name) || "answer", schema: objectOf(schema), strict: strict === true ? true : undefined };
}
