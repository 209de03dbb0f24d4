import type { Tokens } from "../prices.ts";
import { Said } from "./said.ts";
import {
  capped,
  countOf,
  isCount,
  isObject,
  modelsOf,
  objectOf,
  objects,
  refuse,
  shown,
  type Json,
  type Limits,
  type Meter,
  type Prepared,
  type Wire,
} from "./wire.ts";

/** These buy something beside tokens, or another model than the one that was priced. */
const unmetered = ["web_search_options", "audio", "models", "route", "plugins"] as const;

/** OpenAI chat completions. */
export const chat: Wire = {
  protocol: "chat",
  prepare,
  meter: () => new ChatMeter(),
  forAgent(answer, { askedModel, wantsUsage, stream }) {
    const isHidden = stream && !wantsUsage && "usage" in answer;
    const isRenamed = "model" in answer && answer.model !== askedModel;
    if (isHidden && Array.isArray(answer.choices) && answer.choices.length === 0) return undefined;
    if (!isHidden && !isRenamed) return answer;
    const { usage: _, ...rest } = answer;
    return { ...(isHidden ? rest : answer), ...(isRenamed && { model: askedModel }) };
  },
  problemIn: (chunk) => (chunk.error ? shown(chunk.error) : undefined),
  error: (_, error) => ({ error }),
  streamError: (error) => `data: ${JSON.stringify({ error })}\n\n`,
};

/**
 * `max_tokens` is what most servers know; OpenAI's own newer models refuse it and want `max_completion_tokens`, so an agent that sent neither
 * gets the one its provider knows.
 */
function prepare(asked: Json, { provider, model, cap }: Limits): Prepared {
  const body: Record<string, unknown> = { ...asked };
  if (!Array.isArray(body.messages) || body.messages.length === 0) return refuse("messages must be a list that is not empty.", "messages");
  for (const field of unmetered)
    if (body[field] !== undefined && body[field] !== null)
      return refuse(`${field} is not supported yet: the gateway cannot meter it.`, field);
  const choices = body.n ?? 1;
  if (typeof choices !== "number" || !Number.isInteger(choices) || choices < 1 || choices > 16)
    return refuse("n must be from 1 to 16.", "n");

  let most = cap;
  const fields = ["max_completion_tokens", "max_tokens"] as const;
  for (const field of fields) {
    const value = capped(body[field], most);
    if (value === undefined) return refuse(`${field} must be a whole number above 0.`, field);
    if (body[field] === undefined || body[field] === null) delete body[field];
    most = value;
  }
  const given = fields.filter((field) => body[field] !== undefined);
  for (const field of given.length > 0 ? given : [provider === "openai" ? fields[0] : fields[1]]) body[field] = most;

  const stream = body.stream === true;
  const options = objectOf(body.stream_options);
  if (stream) body.stream_options = { ...options, include_usage: true };
  else delete body.stream_options;
  // A faster tier costs more than the price the budget was reserved at.
  delete body.service_tier;
  const models = modelsOf(body, model);
  if (models === undefined) return refuse("model is missing.", "model");
  body.model = models.model;
  return {
    ok: true,
    call: {
      ...models,
      stream,
      wantsUsage: !stream || options.include_usage === true,
      maxOutputTokens: most * choices,
      cacheWrites: JSON.stringify(body.messages).includes('"cache_control"') ? "short" : "none",
      isUnpriced: false,
      body,
    },
  };
}

class ChatMeter implements Meter {
  /** The last one counts: some send a running sum with every chunk. */
  reported: Tokens | undefined;
  readonly input = undefined;
  isFinished = false;
  readonly #said = new Said();

  take(answer: Json): void {
    this.reported = readUsage(answer.usage) ?? this.reported;
    for (const choice of objects(answer.choices)) {
      if (typeof choice.finish_reason === "string") this.isFinished = true;
      const said = choice.delta ?? choice.message;
      if (isObject(said)) this.#listen(indexOf(choice, 0), said);
    }
  }

  countOutput(): number {
    return this.#said.tokens();
  }

  #listen(choice: string, said: Json): void {
    for (const field of ["content", "refusal"] as const) this.#said.add(`${choice} ${field}`, said[field]);
    // Two names for the same thing; servers that send both send it twice.
    this.#said.add(`${choice} reasoning`, said.reasoning_content ?? said.reasoning);
    for (const [i, call] of objects(said.tool_calls).entries()) {
      const fn = objectOf(call.function);
      for (const text of [fn.name, fn.arguments]) this.#said.add(`${choice} call ${indexOf(call, i)}`, text);
    }
  }
}

function readUsage(usage: unknown): Tokens | undefined {
  const { prompt_tokens, completion_tokens, prompt_tokens_details } = objectOf(usage);
  if (!isCount(prompt_tokens) || !isCount(completion_tokens ?? 0)) return undefined;
  return {
    inputTokens: prompt_tokens,
    cachedInputTokens: Math.min(countOf(objectOf(prompt_tokens_details).cached_tokens), prompt_tokens),
    outputTokens: countOf(completion_tokens),
  };
}

const indexOf = (of: Json, otherwise: number): string => (typeof of.index === "number" ? String(of.index) : String(otherwise));
