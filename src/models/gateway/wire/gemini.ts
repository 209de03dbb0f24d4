import type { InputTokens, Tokens } from "../prices.ts";
import { Said } from "./said.ts";
import {
  capped,
  countOf,
  isCount,
  isObject,
  objectOf,
  objects,
  providerToolRefused,
  refuse,
  shown,
  textIn,
  type Json,
  type Limits,
  type Meter,
  type Prepared,
  type Wire,
} from "./wire.ts";

/** Gemini's generateContent. */
export const gemini: Wire = {
  protocol: "gemini",
  prepare,
  meter: () => new GeminiMeter(),
  forAgent: (answer, { askedModel }) =>
    "modelVersion" in answer && answer.modelVersion !== askedModel ? { ...answer, modelVersion: askedModel } : answer,
  problemIn: (chunk) => (chunk.error ? shown(chunk.error) : undefined),
  error: (status, { type, message }) => ({ error: { code: status, message, status: type.toUpperCase() } }),
  streamError: ({ message }) => `data: ${JSON.stringify({ error: { code: 500, message, status: "INTERNAL" } })}\n\n`,
};

/** The API takes both spellings of a field; one is enough here. */
function camel(of: Json): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(of))
    renamed[name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
  return renamed;
}

function prepare(asked: Json, { model, cap, path, providerTools }: Limits): Prepared {
  const body = camel(asked);
  if (!path) return refuse("The path names no model.", "model");
  if (!Array.isArray(body.contents) || body.contents.length === 0) return refuse("contents must be a list that is not empty.", "contents");
  if (body.cachedContent !== undefined && body.cachedContent !== null)
    return refuse("cachedContent is not supported yet: the gateway cannot tell what it costs. Send the whole content.", "cachedContent");
  if (model !== undefined) delete body.serviceTier;

  const config = camel(objectOf(body.generationConfig));
  const choices = config.candidateCount ?? 1;
  if (!isCount(choices) || choices < 1 || choices > 16) return refuse("candidateCount must be from 1 to 16.", "candidateCount");
  const most = capped(config.maxOutputTokens, cap);
  if (most === undefined) return refuse("maxOutputTokens must be a whole number above 0.", "maxOutputTokens");
  body.generationConfig = { ...config, maxOutputTokens: most };

  const tools = objects(body.tools).map(camel);
  const theirs = tools.flatMap((tool) => Object.keys(tool)).filter((name) => name !== "functionDeclarations");
  const own = tools.flatMap((tool) =>
    Array.isArray(tool.functionDeclarations) ? [{ functionDeclarations: tool.functionDeclarations }] : [],
  );
  if (theirs.length > 0 && providerTools === "take-out") {
    if (own.length === 0) return refuse(providerToolRefused(theirs[0] ?? ""), "tools");
    body.tools = own;
  }
  return {
    ok: true,
    call: {
      askedModel: path.model,
      model: model ?? path.model,
      stream: path.stream,
      wantsUsage: true,
      maxOutputTokens: most * choices,
      cacheWrites: "none",
      isUnpriced: theirs.length > 0 && providerTools === "keep",
      body,
    },
  };
}

/** Every chunk carries a running usage; it is the whole call's only once an end was told. */
class GeminiMeter implements Meter {
  input: InputTokens | undefined;
  isFinished = false;
  #output = 0;
  readonly #said = new Said();

  get reported(): Tokens | undefined {
    return this.input && this.isFinished ? { ...this.input, outputTokens: this.#output } : undefined;
  }

  take(answer: Json): void {
    this.#readUsage(objectOf(answer.usageMetadata));
    for (const [i, candidate] of objects(answer.candidates).entries()) {
      if (typeof candidate.finishReason === "string") this.isFinished = true;
      const of = isCount(candidate.index) ? candidate.index : i;
      for (const part of objects(objectOf(candidate.content).parts)) {
        this.#said.add(`${of} ${part.thought === true ? "thought" : "text"}`, part.text);
        const call = part.functionCall;
        if (isObject(call)) this.#said.add(`${of} ${textIn(call.id)}`, textIn(call.name) + JSON.stringify(call.args ?? {}));
      }
    }
    // A prompt that was refused has no candidates.
    if (isObject(answer.promptFeedback) && typeof answer.promptFeedback["blockReason"] === "string") this.isFinished = true;
  }

  countOutput(): number {
    return Math.max(this.#output, this.#said.tokens());
  }

  #readUsage(usage: Json): void {
    const { promptTokenCount, cachedContentTokenCount, toolUsePromptTokenCount, candidatesTokenCount, thoughtsTokenCount } = usage;
    if (!isCount(promptTokenCount)) return;
    const inputTokens = promptTokenCount + countOf(toolUsePromptTokenCount);
    this.input = { inputTokens, cachedInputTokens: Math.min(countOf(cachedContentTokenCount), inputTokens) };
    this.#output = countOf(candidatesTokenCount) + countOf(thoughtsTokenCount);
  }
}
