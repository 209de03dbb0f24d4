import type { Json } from "../../wire/wire.ts";
import type { TranslateOptions } from "../contract.ts";
import { mediaTypeOf } from "../media.ts";
import {
  argumentsOf,
  CannotSay,
  given,
  withoutSystem,
  type Content,
  type Lost,
  type Media,
  type Part,
  type Question,
} from "../question.ts";
import { callId, toolName } from "../tool-names.ts";

/** Anthropic messages. No cache marks and no thinking are asked for that the agent's format has no word for. */
export function writeMessagesRequest(question: Question, { model, maxOutputTokens }: TranslateOptions, lost: Lost): Json {
  const { system, turns } = withoutSystem(question.turns, lost);
  const { shape, tools, temperature, topP } = question;
  for (const field of ["seed", "presencePenalty", "frequencyPenalty"] as const) if (question[field] !== undefined) lost.add(field);
  if (question.effort !== undefined) lost.add("reasoning effort");
  if (shape?.kind === "json") lost.add("response_format: json_object");
  if ((temperature ?? 0) > 1) lost.add("a temperature above 1");
  // Newer models take one of the two.
  if (temperature !== undefined && topP !== undefined) lost.add("top_p beside temperature");
  return given({
    model,
    max_tokens: Math.min(question.maxOutput ?? maxOutputTokens, maxOutputTokens),
    system: system === "" ? undefined : system,
    messages: turns.map(({ role, parts }) => ({ role, content: blocksOf(parts) })),
    tools:
      tools.length === 0
        ? undefined
        : tools.map(({ name, description, schema }) => given({ name: toolName(name), description, input_schema: objectSchema(schema) })),
    tool_choice: choiceJson(question),
    stop_sequences: question.stop.length > 0 ? question.stop : undefined,
    temperature: temperature === undefined ? undefined : Math.min(1, temperature),
    top_p: temperature === undefined ? topP : undefined,
    top_k: question.topK,
    output_config: shape?.kind === "schema" ? { format: { type: "json_schema", schema: shape.schema } } : undefined,
    stream: question.stream ? true : undefined,
  });
}

/** The format wants the type said. */
const objectSchema = (schema: Json): Json => ("type" in schema ? schema : { type: "object", properties: {}, ...schema });

function choiceJson({ choice, parallel }: Question): Json | undefined {
  const single = parallel === false && choice?.kind !== "none" ? { disable_parallel_tool_use: true } : {};
  switch (choice?.kind) {
    case undefined:
      return parallel === false ? { type: "auto", ...single } : undefined;
    case "auto":
    case "none":
      return { type: choice.kind, ...single };
    case "required":
      return { type: "any", ...single };
    case "one":
      return { type: "tool", name: toolName(choice.name), ...single };
    default:
      return choice satisfies never;
  }
}

/** Results must come first in their message. */
function blocksOf(parts: readonly Part[]): Json[] {
  const results = parts.filter((part) => part.kind === "result");
  return [...results, ...parts.filter((part) => part.kind !== "result")].map((part) => {
    switch (part.kind) {
      case "call":
        return { type: "tool_use", id: callId(part.id), name: toolName(part.name), input: argumentsOf(part.args) };
      case "result":
        return given({
          type: "tool_result",
          tool_use_id: callId(part.id),
          content: part.content.length === 0 ? undefined : contentJson(part.content),
          is_error: part.isError ? true : undefined,
        });
      default:
        return contentBlock(part);
    }
  });
}

const contentJson = (content: readonly Content[]): string | Json[] =>
  content.length === 1 && content[0]?.kind === "text" ? content[0].text : content.filter(isSaid).map(contentBlock);

/** A text block must not be empty. */
const isSaid = (part: Content): boolean => part.kind !== "text" || part.text !== "";

function contentBlock(part: Content): Json {
  switch (part.kind) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return { type: "image", source: sourceOf(part.media) };
    case "file": {
      const type = mediaTypeOf(part.media);
      if (type === "text/plain" && part.media.kind === "base64") {
        const data = Buffer.from(part.media.data, "base64").toString("utf8");
        return given({ type: "document", source: { type: "text", media_type: type, data }, title: part.name });
      }
      if (type !== undefined && type !== "application/pdf")
        throw new CannotSay(`A file of the type ${type} cannot be said in the messages format.`);
      return given({ type: "document", source: sourceOf(part.media), title: part.name });
    }
    default:
      return part satisfies never;
  }
}

const sourceOf = (media: Media): Json =>
  media.kind === "url" ? { type: "url", url: media.url } : { type: "base64", media_type: media.mediaType, data: media.data };
