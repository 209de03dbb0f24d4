import { argumentsOf, objects, stringOf, textOf, type Dialect, type Frame, type Json, type Reply, type ToolCallOut } from "./dialect.ts";
import { chat } from "./chat.ts";

/** OpenAI responses, as codex speaks it: custom (freeform) tools get a `custom_tool_call`, all others a `function_call`. */
export const responses: Dialect = {
  name: "responses",
  wholeCalls: false,
  read(body) {
    const messages = [];
    const input: Json[] = typeof body.input === "string" ? [{ role: "user", content: body.input }] : objects(body.input);
    let turn = 0;
    let wasOurs = false;
    if (typeof body.instructions === "string") messages.push({ role: "system", content: body.instructions, toolCalls: 0 });
    for (const item of input) {
      const type = stringOf(item.type) || "message";
      const { role } = item;
      const isResult = type.endsWith("_output");
      const isOurs = type === "message" ? role === "assistant" : !isResult;
      // What the model said in one answer comes back as several items in a row.
      if (isOurs && !wasOurs) turn += 1;
      wasOurs = isOurs;
      if (isResult) messages.push({ role: "tool", content: outputText(item.output), toolCalls: 0 });
      else if (type !== "message") messages.push({ role: "assistant", content: "", toolCalls: type.endsWith("_call") ? 1 : 0 });
      else messages.push({ role: role === "developer" ? "system" : stringOf(role), content: textOf(item.content), toolCalls: 0 });
    }
    return {
      model: stringOf(body.model),
      messages,
      turn,
      toolResults: messages.filter((m) => m.role === "tool").length,
      tools: objects(body.tools).flatMap(namesOf),
      prompt: [body.instructions ?? "", body.input, body.tools ?? []],
    };
  },
  isStream: (body) => body.stream === true,
  reportsUsage: () => true,
  whole: (reply) => response(reply, reply.finish === "length" ? "incomplete" : "completed", allItems(reply)),
  stream(reply) {
    let number = 0;
    let openItem = -1;
    const frame = (type: string, more: Json): Frame => ({ event: type, data: { type, sequence_number: number++, ...more } });
    const hasText = reply.text !== undefined && reply.text !== "";
    const at = (call: number | undefined): number => (call === undefined ? 0 : call + (hasText ? 1 : 0));
    const items = allItems(reply);
    const itemOf = (index: number): Json => items[index] ?? {};
    const closeItem = (): Frame[] => {
      if (openItem < 0) return [];
      const index = openItem;
      const item = itemOf(index);
      openItem = -1;
      const where = { item_id: item.id, output_index: index };
      const frames: Frame[] = [];
      if (item.type === "message") {
        const part = textPart(reply.text ?? "");
        frames.push(frame("response.output_text.done", { ...where, content_index: 0, text: reply.text ?? "", logprobs: [] }));
        frames.push(frame("response.content_part.done", { ...where, content_index: 0, part }));
      } else if (item.type === "custom_tool_call") {
        frames.push(frame("response.custom_tool_call_input.done", { ...where, input: item.input }));
      } else {
        frames.push(frame("response.function_call_arguments.done", { ...where, name: item.name, arguments: item.arguments }));
      }
      return [...frames, frame("response.output_item.done", { output_index: index, item })];
    };
    const openAt = (index: number): Frame[] => {
      if (openItem === index) return [];
      const frames = closeItem();
      openItem = index;
      const item = itemOf(index);
      const empty = item.type === "message" ? { content: [] } : item.type === "custom_tool_call" ? { input: "" } : { arguments: "" };
      frames.push(frame("response.output_item.added", { output_index: index, item: { ...item, status: "in_progress", ...empty } }));
      if (item.type === "message") {
        const where = { item_id: item.id, output_index: index, content_index: 0 };
        frames.push(frame("response.content_part.added", { ...where, part: textPart("") }));
      }
      return frames;
    };
    return {
      tellsInput: "at its end",
      open: () => [
        frame("response.created", { response: response({ ...reply, usage: undefined }, "in_progress", []) }),
        frame("response.in_progress", { response: response({ ...reply, usage: undefined }, "in_progress", []) }),
      ],
      piece({ says, call, isHead }) {
        const frames = openAt(at(call));
        const item = itemOf(at(call));
        const where = { item_id: item.id, output_index: at(call) };
        if (call === undefined) frames.push(frame("response.output_text.delta", { ...where, content_index: 0, delta: says, logprobs: [] }));
        else if (!isHead && item.type === "function_call")
          frames.push(frame("response.function_call_arguments.delta", { ...where, delta: says }));
        else if (!isHead && item.input === reply.calls[call]?.arguments)
          frames.push(frame("response.custom_tool_call_input.delta", { ...where, delta: says }));
        return frames;
      },
      close() {
        const frames = closeItem();
        const isCut = reply.finish === "length";
        const whole = response(reply, isCut ? "incomplete" : "completed", items);
        return [...frames, frame(isCut ? "response.incomplete" : "response.completed", { response: whole })];
      },
      last: "",
    };
  },
  error: (status, message) => chat.error(status, message),
};

const outputText = (output: unknown): string => (typeof output === "string" ? output : textOf(output) || JSON.stringify(output ?? ""));

/** A tool's name; those of a group of tools with it. */
const namesOf = (tool: Json): string[] => [stringOf(tool.name) || stringOf(tool.type), ...objects(tool.tools).flatMap(namesOf)];

const textPart = (text: string): Json => ({ type: "output_text", text, annotations: [], logprobs: [] });

function allItems(reply: Reply): Json[] {
  const text = reply.text === undefined || reply.text === "" ? [] : [textPart(reply.text)];
  const message = { type: "message", id: `msg_scripted_${reply.n}`, role: "assistant", status: "completed", content: text };
  return [...(text.length > 0 ? [message] : []), ...reply.calls.map((call, i) => callItem(reply, call, i))];
}

function callItem(reply: Reply, call: ToolCallOut, i: number): Json {
  const id = `fc_scripted_${reply.n}_${i}`;
  const isCustom = objects(reply.request.body.tools).some((t) => t.type === "custom" && t.name === call.name);
  if (!isCustom)
    return { type: "function_call", id, call_id: call.id, ...calledIn(reply, call.name), arguments: call.arguments, status: "completed" };
  const input = stringOf(argumentsOf(call).input) || call.arguments;
  return { type: "custom_tool_call", id, call_id: call.id, name: call.name, input, status: "completed" };
}

/** A script names a tool of a group `GROUP__TOOL`, as the other formats have it; codex wants both apart. */
function calledIn(reply: Reply, name: string): Json {
  const groups = objects(reply.request.body.tools).filter((t) => t.type === "namespace" && name.startsWith(`${stringOf(t.name)}__`));
  const group = groups.find((g) => objects(g.tools).some((t) => name === `${stringOf(g.name)}__${stringOf(t.name)}`));
  return group ? { name: name.slice(stringOf(group.name).length + 2), namespace: group.name } : { name };
}

function response(reply: Reply, status: string, output: readonly Json[]): Json {
  const { usage } = reply;
  return {
    id: `resp_scripted_${reply.n}`,
    object: "response",
    created_at: 0,
    status,
    model: reply.request.model,
    output,
    error: null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    metadata: { scripted: "true" },
    ...(usage && {
      usage: {
        input_tokens: usage.promptTokens,
        input_tokens_details: { cached_tokens: usage.cachedTokens },
        output_tokens: usage.completionTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: usage.promptTokens + usage.completionTokens,
      },
    }),
  };
}
