import type { InputTokens, Tokens } from "../prices.ts";
import { Said } from "./said.ts";
import {
  capped,
  countOf,
  isCount,
  isObject,
  modelsOf,
  calledAs,
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

/** Tools that the agent runs itself; those without a type are its own. */
const agentTool = /^(?:custom|(?:bash|text_editor|computer|memory|tool_search_tool)_.*)$/;

/** They change the price, or what is paid for. */
const unmetered = ["mcp_servers", "container", "inference_geo"] as const;

/** Least that the provider takes for thinking. */
const leastThinking = 1_024;

/** Anthropic messages. */
export const messages: Wire = {
  protocol: "messages",
  prepare,
  meter: () => new MessagesMeter(),
  forAgent(answer, { askedModel }) {
    const { message } = answer;
    const called = isObject(message) ? calledAs(message, askedModel) : message;
    return called === message ? calledAs(answer, askedModel) : { ...answer, message: called };
  },
  problemIn: (chunk) => (chunk.type === "error" ? shown(chunk.error) : undefined),
  error: (_, { type, message }) => ({ type: "error", error: { type, message } }),
  streamError: ({ message }) => `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: "api_error", message } })}\n\n`,
};

function prepare(asked: Json, { model, cap, providerTools }: Limits): Prepared {
  const body: Record<string, unknown> = { ...asked };
  if (!Array.isArray(body.messages) || body.messages.length === 0) return refuse("messages must be a list that is not empty.", "messages");
  if (model !== undefined) {
    for (const field of unmetered)
      if (body[field] !== undefined && body[field] !== null)
        return refuse(`${field} is not supported yet: the gateway cannot meter it.`, field);
    // A faster way costs more than the price the budget was reserved at.
    delete body.service_tier;
    delete body.speed;
  }
  const tools = objects(body.tools);
  const theirs = tools.filter((tool) => !isAgentTool(tool));
  if (theirs.length > 0 && providerTools === "take-out") {
    const chosen = objectOf(body.tool_choice).name;
    const forced = theirs.find((tool) => tool.name === chosen) ?? (theirs.length === tools.length ? theirs[0] : undefined);
    if (forced) return refuse(providerToolRefused(textIn(forced.type)), "tools");
    body.tools = tools.filter(isAgentTool);
  }

  const most = capped(body.max_tokens, cap);
  if (most === undefined) return refuse("max_tokens must be a whole number above 0.", "max_tokens");
  body.max_tokens = most;
  const thinking = objectOf(body.thinking);
  // The provider wants it below max_tokens, which may just have been made smaller.
  if (isCount(thinking.budget_tokens) && thinking.budget_tokens >= most) {
    if (most > leastThinking) body.thinking = { ...thinking, budget_tokens: most - 1 };
    else delete body.thinking;
  }
  const models = modelsOf(body, model);
  if (models === undefined) return refuse("model is missing.", "model");
  body.model = models.model;
  return {
    ok: true,
    call: {
      ...models,
      stream: body.stream === true,
      wantsUsage: true,
      maxOutputTokens: most,
      cacheWrites: cacheWritesIn(body),
      isUnpriced: theirs.length > 0 && providerTools === "keep",
      body,
    },
  };
}

const isAgentTool = (tool: Json): boolean => tool.type === undefined || agentTool.test(textIn(tool.type));

function cacheWritesIn(body: Json): "none" | "short" | "long" {
  let writes: "none" | "short" | "long" = "none";
  JSON.stringify([body.cache_control, body.system, body.messages, body.tools], (_, value: unknown) => {
    if (isObject(value) && value.type === "ephemeral" && writes !== "long") writes = value.ttl === "1h" ? "long" : "short";
    return value;
  });
  return writes;
}

/** The input's figures come first, the output's at the end; some servers send both again there. */
class MessagesMeter implements Meter {
  input: InputTokens | undefined;
  isFinished = false;
  #output: number | undefined;
  #usage: Json = {};
  readonly #said = new Said();

  get reported(): Tokens | undefined {
    return this.input && this.#output !== undefined ? { ...this.input, outputTokens: this.#output } : undefined;
  }

  take(answer: Json): void {
    const index = String(answer.index);
    switch (answer.type) {
      case "message_start":
        return this.#readInput(objectOf(objectOf(answer.message).usage));
      case "content_block_start":
        return this.#listen(index, objectOf(answer.content_block));
      case "content_block_delta": {
        const { text, thinking, partial_json } = objectOf(answer.delta);
        return this.#said.add(index, text ?? thinking ?? partial_json);
      }
      case "message_delta":
        return this.#readEnd(objectOf(answer.usage));
      case "message_stop":
        this.isFinished = true;
        return;
      case "message":
        this.isFinished = true;
        for (const [i, block] of objects(answer.content).entries()) this.#listen(String(i), block);
        return this.#readEnd(objectOf(answer.usage));
      default:
    }
  }

  countOutput(): number {
    return this.#said.tokens();
  }

  #listen(index: string, { text, thinking, name, input }: Json): void {
    const isWhole = isObject(input) && Object.keys(input).length > 0;
    for (const said of [text, thinking, name, isWhole ? JSON.stringify(input) : undefined]) this.#said.add(index, said);
  }

  #readEnd(usage: Json): void {
    this.#readInput(usage);
    if (isCount(usage.output_tokens)) this.#output = usage.output_tokens;
  }

  /** `input_tokens` are those neither read from the cache nor written to it. */
  #readInput(usage: Json): void {
    // Fields may come one by one: a null or a missing one leaves what was told before.
    this.#usage = { ...this.#usage, ...Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null)) };
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, cache_creation } = this.#usage;
    if (!isCount(input_tokens)) return;
    const [cached, writes] = [countOf(cache_read_input_tokens), countOf(cache_creation_input_tokens)];
    this.input = {
      inputTokens: input_tokens + cached + writes,
      cachedInputTokens: cached,
      ...(writes > 0 && {
        cacheWriteTokens: writes,
        cacheWriteLongTokens: Math.min(writes, countOf(objectOf(cache_creation)["ephemeral_1h_input_tokens"])),
      }),
    };
  }
}
