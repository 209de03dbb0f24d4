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
  type Shape,
  type Tool,
} from "../question.ts";
import type { TranslateOptions } from "../contract.ts";
import { camel } from "./camel.ts";
import { jsonSchemaOf } from "./open-api-schema.ts";

const known = new Set(["contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent", "model"]);

const knownConfig = new Set([
  "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "presencePenalty", "frequencyPenalty", "responseMimeType",
  "responseSchema", "responseJsonSchema", "candidateCount", "responseModalities",
]); // prettier-ignore

/** Gemini's generateContent. */
export function readGeminiRequest(asked: Json, { model, path }: TranslateOptions, lost: Lost): Question {
  const body = camel(asked);
  lost.addOthers(body, known);
  if (body.cachedContent !== undefined && body.cachedContent !== null)
    throw new CannotSay(
      "cachedContent names what lies at another provider: the one that serves this call has none of it.",
      "cachedContent",
    );
  const config = camel(objectOf(body.generationConfig));
  lost.addOthers(config, knownConfig, "generationConfig.");
  if ((config.candidateCount ?? 1) !== 1)
    throw new CannotSay("candidateCount above 1 cannot be said in the format of the model that serves this call.", "candidateCount");
  if (strings(config.responseModalities).some((modality) => modality !== "TEXT"))
    throw new CannotSay("Only text can be asked of the model that serves this call.", "responseModalities");
  const turns = new Turns();
  const system = body.systemInstruction;
  turns.add(
    "system",
    ...(typeof system === "string" ? [{ kind: "text" as const, text: system }] : partsOf(objectOf(system), new CallIds(), lost)),
  );
  const ids = new CallIds();
  const contents = typeof body.contents === "string" ? [{ parts: [{ text: body.contents }] }] : objects(body.contents);
  for (const content of contents) turns.add(content.role === "model" ? "assistant" : "user", ...partsOf(content, ids, lost));
  return {
    turns: turns.list,
    tools: objects(body.tools).flatMap((tool) => toolsOf(camel(tool), lost)),
    choice: choiceOf(camel(objectOf(camel(objectOf(body.toolConfig)).functionCallingConfig)), lost),
    stop: strings(config.stopSequences),
    temperature: numberOf(config.temperature),
    topP: numberOf(config.topP),
    topK: numberOf(config.topK),
    seed: numberOf(config.seed),
    presencePenalty: numberOf(config.presencePenalty),
    frequencyPenalty: numberOf(config.frequencyPenalty),
    maxOutput: numberOf(config.maxOutputTokens),
    shape: shapeOf(config),
    model: path?.model ?? model,
    stream: path?.stream ?? false,
    tellsUsage: true,
  };
}

/** Calls and results may come without ids: then a result belongs to the earliest call of its name that has none yet. */
class CallIds {
  #made = 0;
  readonly #waiting = new Map<string, string[]>();

  ofCall(id: string, name: string): string {
    this.#made += 1;
    const known = id === "" ? `call_${this.#made}` : id;
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), known]);
    return known;
  }

  ofResult(id: string, name: string): string {
    const waiting = this.#waiting.get(name) ?? [];
    const known = id === "" || !waiting.includes(id) ? (waiting[0] ?? id) : id;
    this.#waiting.set(
      name,
      waiting.filter((one) => one !== known),
    );
    return id === "" ? known : id;
  }
}

function partsOf(content: Json, ids: CallIds, lost: Lost): Part[] {
  return objects(content.parts).flatMap((raw): Part[] => {
    const part = camel(raw);
    if (part.thought === true) {
      lost.add("thinking of earlier answers");
      return [];
    }
    if (isObject(part.functionCall)) {
      const { id, name, args } = part.functionCall;
      return [{ kind: "call", id: ids.ofCall(textIn(id), textIn(name)), name: textIn(name), args: JSON.stringify(args ?? {}) }];
    }
    if (isObject(part.functionResponse)) return [resultOf(part.functionResponse, ids)];
    if (typeof part.text === "string") return [{ kind: "text", text: part.text }];
    const media = mediaIn(part);
    if (media) return [media];
    lost.add(`parts: ${Object.keys(part).join(", ")}`);
    return [];
  });
}

function resultOf(result: Json, ids: CallIds): Part {
  const name = textIn(result.name);
  const response = objectOf(result.response);
  const { output, error } = response;
  const isOnly = Object.keys(response).length === 1;
  const said = isOnly ? (output ?? error) : undefined;
  const text = said === undefined ? JSON.stringify(response) : typeof said === "string" ? said : JSON.stringify(said);
  const shown = objects(result.parts).flatMap((part) => mediaIn(camel(part)) ?? []);
  return {
    kind: "result",
    id: ids.ofResult(textIn(result.id), name),
    name,
    content: [{ kind: "text", text }, ...shown],
    isError: isOnly && error !== undefined,
  };
}

function mediaIn(part: Json): Content | undefined {
  const { mimeType, data } = camel(objectOf(part.inlineData));
  const at = camel(objectOf(part.fileData));
  let media: Media;
  if (typeof data === "string") media = { kind: "base64", mediaType: textIn(mimeType), data };
  else if (typeof at.fileUri === "string") {
    if (!/^https?:/.test(at.fileUri) || at.fileUri.includes("generativelanguage.googleapis.com")) throw lyingThere("A file");
    media = { kind: "url", url: at.fileUri };
  } else return undefined;
  const type = textIn(mimeType) || textIn(at.mimeType);
  return { kind: type.startsWith("image/") ? "image" : "file", media };
}

function toolsOf(tool: Json, lost: Lost): Tool[] {
  lost.addOthers(tool, new Set(["functionDeclarations"]), "tools: ");
  return objects(tool.functionDeclarations).map((raw) => {
    const { name, description, parameters, parametersJsonSchema } = camel(raw);
    const schema = isObject(parametersJsonSchema)
      ? parametersJsonSchema
      : isObject(parameters)
        ? jsonSchemaOf(parameters)
        : { type: "object", properties: {} };
    return { name: textIn(name), description: textIn(description) || undefined, schema };
  });
}

function choiceOf({ mode, allowedFunctionNames }: Json, lost: Lost): Choice | undefined {
  const names = strings(allowedFunctionNames);
  const [name] = names;
  if (mode === "ANY" && name !== undefined && names.length === 1) return { kind: "one", name };
  if (names.length > 0) lost.add("allowedFunctionNames");
  if (mode === "ANY") return { kind: "required" };
  if (mode === "NONE") return { kind: "none" };
  return mode === "AUTO" || mode === "VALIDATED" ? { kind: "auto" } : undefined;
}

function shapeOf({ responseMimeType, responseSchema, responseJsonSchema }: Json): Shape | undefined {
  if (isObject(responseJsonSchema)) return { kind: "schema", name: "answer", schema: responseJsonSchema };
  if (isObject(responseSchema)) return { kind: "schema", name: "answer", schema: jsonSchemaOf(responseSchema) };
  return responseMimeType === "application/json" ? { kind: "json" } : undefined;
}
