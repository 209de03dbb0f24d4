import { isObject, objectOf, objects, textIn, type Json } from "../../wire/wire.ts";
import { customTool } from "../custom-tool.ts";
import { lyingThere, mediaOf } from "../media.ts";
import { CannotSay, numberOf, Turns, type Choice, type Content, type Lost, type Question, type Shape, type Tool } from "../question.ts";
import type { TranslateOptions } from "../contract.ts";

const known = new Set([
  "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p", "max_output_tokens", "text",
  "reasoning", "stream", "stream_options", "store",
]); // prettier-ignore

/** State that only the provider has which made it. */
const elsewhere = ["previous_response_id", "conversation", "prompt"] as const;

/** OpenAI responses, as codex speaks it. */
export function readResponsesRequest(body: Json, { model }: TranslateOptions, lost: Lost): Question {
  for (const field of elsewhere)
    if (body[field] !== undefined && body[field] !== null)
      throw new CannotSay(
        `${field} names what lies at another provider: the one that serves this call has none of it. Send the whole input.`,
        field,
      );
  if (body.background === true)
    throw new CannotSay("background cannot be said in the format of the model that serves this call.", "background");
  lost.addOthers(body, known);
  const turns = new Turns();
  turns.add("system", { kind: "text", text: textIn(body.instructions) });
  if (typeof body.input === "string") turns.add("user", { kind: "text", text: body.input });
  else for (const item of objects(body.input)) addItem(turns, item, lost);
  const { format, ...text } = objectOf(body.text);
  lost.addOthers(text, new Set(), "text.");
  const { effort, ...reasoning } = objectOf(body.reasoning);
  lost.addOthers(reasoning, new Set(), "reasoning.");
  return {
    turns: turns.list,
    tools: objects(body.tools).flatMap((tool) => toolsOf(tool, lost)),
    choice: choiceOf(body.tool_choice, lost),
    parallel: body.parallel_tool_calls === false ? false : undefined,
    stop: [],
    temperature: numberOf(body.temperature),
    topP: numberOf(body.top_p),
    maxOutput: numberOf(body.max_output_tokens),
    shape: shapeOf(objectOf(format)),
    effort: textIn(effort) || undefined,
    model: textIn(body.model) || model,
    stream: body.stream === true,
    tellsUsage: true,
  };
}

function addItem(turns: Turns, item: Json, lost: Lost): void {
  const id = textIn(item.call_id);
  switch (item.type ?? "message") {
    case "message": {
      const role = item.role === "developer" ? "system" : item.role;
      if (role !== "system" && role !== "user" && role !== "assistant")
        throw new CannotSay(`A message of the role ${String(role)} cannot be translated.`, "input");
      return turns.add(role, ...contentOf(item.content));
    }
    case "function_call":
      return turns.add("assistant", { kind: "call", id, name: nameIn(item), args: textIn(item.arguments) });
    case "custom_tool_call":
      return turns.add("assistant", { kind: "call", id, name: nameIn(item), args: JSON.stringify({ input: textIn(item.input) }) });
    case "function_call_output":
    case "custom_tool_call_output":
      return turns.add("user", { kind: "result", id, name: "", content: contentOf(item.output), isError: false });
    case "item_reference":
      throw new CannotSay("item_reference names what lies at another provider. Send the items, with store: false.", "input");
    case "reasoning":
      return lost.add("thinking of earlier answers");
    default:
      return lost.add(`input: ${String(item.type)}`);
  }
}

/** A tool of a group is told as one of its own. */
const inGroup = (namespace: string, name: string): string => (namespace === "" ? name : `${namespace}__${name}`);

const nameIn = (item: Json): string => inGroup(textIn(item.namespace), textIn(item.name));

function contentOf(content: unknown): Content[] {
  if (typeof content === "string") return [{ kind: "text", text: content }];
  if (isObject(content)) return [{ kind: "text", text: JSON.stringify(content) }];
  return objects(content).map((part): Content => {
    switch (part.type) {
      case "input_text":
      case "output_text":
      case "text":
        return { kind: "text", text: textIn(part.text) };
      case "refusal":
        return { kind: "text", text: textIn(part.refusal) };
      case "input_image":
        if (typeof part.image_url !== "string") throw lyingThere("An image");
        return { kind: "image", media: mediaOf(part.image_url) };
      case "input_file": {
        const at = textIn(part.file_data) || textIn(part.file_url);
        if (at === "") throw lyingThere("A file");
        return { kind: "file", media: mediaOf(at), name: textIn(part.filename) || undefined };
      }
      default:
        throw new CannotSay(`Content of the type ${String(part.type)} cannot be translated.`, "input");
    }
  });
}

function toolsOf(tool: Json, lost: Lost, namespace = ""): Tool[] {
  const name = textIn(tool.name);
  const group = namespace === "" ? undefined : { namespace, name };
  switch (tool.type) {
    case "function": {
      const schema = isObject(tool.parameters) ? tool.parameters : { type: "object", properties: {} };
      const strict = tool.strict === true ? true : undefined;
      return [{ name: inGroup(namespace, name), description: textIn(tool.description) || undefined, schema, strict, group }];
    }
    case "custom":
      return [{ ...customTool(tool), name: inGroup(namespace, name), group }];
    case "namespace":
      return objects(tool.tools).flatMap((inner) => toolsOf(inner, lost, name));
    default:
      lost.add(`tools: ${String(tool.type)}`);
      return [];
  }
}

function choiceOf(choice: unknown, lost: Lost): Choice | undefined {
  if (choice === "auto" || choice === "none" || choice === "required") return { kind: choice };
  const { type, mode, ...named } = objectOf(choice);
  if (typeof named.name === "string") return { kind: "one", name: nameIn(named) };
  if (type === undefined) return undefined;
  if (type !== "allowed_tools") return { kind: "one", name: textIn(type) };
  lost.add("tool_choice.allowed_tools");
  return { kind: mode === "required" ? "required" : "auto" };
}

function shapeOf({ type, name, schema, strict }: Json): Shape | undefined {
  if (type === "json_object") return { kind: "json" };
  if (type !== "json_schema") return undefined;
  return { kind: "schema", name: textIn(name) || "answer", schema: objectOf(schema), strict: strict === true ? true : undefined };
}
