import type { Json } from "../../wire/wire.ts";
import type { Seals, TranslateOptions } from "../contract.ts";
import { mediaTypeOf } from "../media.ts";
import { argumentsOf, given, textOf, withoutSystem, type Content, type Lost, type Part, type Question, type Turn } from "../question.ts";
import { callId, toolName } from "../tool-names.ts";

/**
 * Google's documented mark for a call that another model made, or whose signature is gone: newer models refuse a call that has neither.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const unsigned = "skip_thought_signature_validator";

/** Gemini's generateContent; model and streaming are said in the path. */
export function writeGeminiRequest(question: Question, { maxOutputTokens, seals }: TranslateOptions, lost: Lost): Json {
  const { system, turns } = withoutSystem(question.turns, lost);
  const { shape, tools, choice } = question;
  if (question.parallel === false) lost.add("one tool call at a time");
  if (question.effort !== undefined) lost.add("reasoning effort");
  const names = new Map(
    turns.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "call" ? [[part.id, part.name] as const] : []))),
  );
  return given({
    systemInstruction: system === "" ? undefined : { parts: [{ text: system }] },
    contents: turns.map((turn) => ({ role: turn.role === "assistant" ? "model" : "user", parts: partsOf(turn, names, seals) })),
    tools:
      tools.length === 0
        ? undefined
        : [
            {
              functionDeclarations: tools.map(({ name, description, schema }) =>
                given({ name: toolName(name), description, parametersJsonSchema: schema }),
              ),
            },
          ],
    toolConfig: choice && {
      functionCallingConfig: given({
        mode: choice.kind === "auto" ? "AUTO" : choice.kind === "none" ? "NONE" : "ANY",
        allowedFunctionNames: choice.kind === "one" ? [toolName(choice.name)] : undefined,
      }),
    },
    generationConfig: given({
      maxOutputTokens: Math.min(question.maxOutput ?? maxOutputTokens, maxOutputTokens),
      temperature: question.temperature,
      topP: question.topP,
      topK: question.topK,
      seed: question.seed,
      presencePenalty: question.presencePenalty,
      frequencyPenalty: question.frequencyPenalty,
      stopSequences: question.stop.length > 0 ? question.stop : undefined,
      responseMimeType: shape && "application/json",
      responseJsonSchema: shape?.kind === "schema" ? shape.schema : undefined,
    }),
  });
}

function partsOf({ parts }: Turn, names: ReadonlyMap<string, string>, seals: Seals | undefined): Json[] {
  let isFirstCall = true;
  return [...parts.filter((part) => part.kind === "result"), ...parts.filter((part) => part.kind !== "result")].flatMap(
    (part: Part): Json[] => {
      switch (part.kind) {
        case "call": {
          // Of calls side by side only the first is signed.
          const seal = seals?.get(part.id) ?? (isFirstCall ? unsigned : undefined);
          isFirstCall = false;
          const functionCall = { id: callId(part.id), name: toolName(part.name), args: argumentsOf(part.args) };
          return [given({ functionCall, thoughtSignature: seal })];
        }
        case "result": {
          const name = toolName(names.get(part.id) ?? (part.name || "tool"));
          const response = { [part.isError ? "error" : "output"]: textOf(part.content) };
          const shown = part.content.filter((inner) => inner.kind !== "text");
          return [{ functionResponse: { id: callId(part.id), name, response } }, ...shown.map(contentPart)];
        }
        default:
          return [contentPart(part)];
      }
    },
  );
}

function contentPart(part: Content): Json {
  if (part.kind === "text") return { text: part.text };
  const mimeType = mediaTypeOf(part.media);
  return part.media.kind === "base64"
    ? { inlineData: { mimeType: part.media.mediaType, data: part.media.data } }
    : { fileData: given({ mimeType: mimeType ?? (part.kind === "image" ? "image/jpeg" : undefined), fileUri: part.media.url }) };
}
