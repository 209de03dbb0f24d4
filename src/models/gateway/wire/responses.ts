import type { Tokens } from "../prices.ts";
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

/** Tools that the agent runs itself. */
const agentTools = new Set(["function", "custom", "local_shell", "shell", "apply_patch", "namespace", "tool_search"]);

/** Input that lies at the provider: what it comes to cannot be reserved. */
const elsewhere = ["previous_response_id", "conversation", "prompt"] as const;

const ends = new Set(["response.completed", "response.incomplete", "response.failed"]);

/** OpenAI responses. */
export const responses: Wire = {
  protocol: "responses",
  prepare,
  meter: () => new ResponsesMeter(),
  forAgent(answer, { askedModel }) {
    const { response } = answer;
    const called = isObject(response) ? calledAs(response, askedModel) : response;
    return called === response ? calledAs(answer, askedModel) : { ...answer, response: called };
  },
  problemIn(chunk) {
    if (chunk.type === "error") return shown(chunk.error ?? chunk);
    return chunk.type === "response.failed" ? shown(objectOf(chunk.response).error) : undefined;
  },
  error: (_, error) => ({ error }),
  // Its clients read the end of a response that failed; an event `error` some overlook.
  streamError({ message, code }) {
    const response = { object: "response", status: "failed", output: [], error: { code: code ?? "server_error", message } };
    return `event: response.failed\ndata: ${JSON.stringify({ type: "response.failed", response })}\n\n`;
  },
};

function prepare(asked: Json, { model, cap, providerTools }: Limits): Prepared {
  const body: Record<string, unknown> = { ...asked };
  if (typeof body.input !== "string" && !Array.isArray(body.input)) return refuse("input must be a text or a list.", "input");
  if (body.background === true) return refuse("background is not supported yet: the gateway sees no end of such a call.", "background");
  for (const field of elsewhere)
    if (body[field] !== undefined && body[field] !== null)
      return refuse(`${field} is not supported yet: the gateway cannot tell what it costs. Send the whole input.`, field);
  if (objects(body.input).some((item) => item.type === "item_reference"))
    return refuse(
      "item_reference is not supported yet: the gateway cannot tell what it costs. Send the items, with store: false.",
      "input",
    );

  const tools = objects(body.tools);
  const theirs = tools.filter((tool) => !isAgentTool(tool));
  if (theirs.length > 0 && providerTools === "take-out") {
    const chosen = textIn(objectOf(body.tool_choice).type);
    const forced = theirs.find((tool) => tool.type === chosen) ?? (theirs.length === tools.length ? theirs[0] : undefined);
    if (forced) return refuse(providerToolRefused(textIn(forced.type)), "tools");
    body.tools = tools.filter(isAgentTool);
  }

  const most = capped(body.max_output_tokens, cap);
  if (most === undefined) return refuse("max_output_tokens must be a whole number above 0.", "max_output_tokens");
  // The endpoint behind a ChatGPT login refuses the field.
  if (model !== undefined || isCount(body.max_output_tokens)) body.max_output_tokens = most;
  if (model !== undefined) delete body.service_tier;
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
      cacheWrites: "none",
      isUnpriced: theirs.length > 0 && providerTools === "keep",
      body,
    },
  };
}

function isAgentTool(tool: Json): boolean {
  const { type } = objectOf(tool.environment);
  return agentTools.has(textIn(tool.type)) && (type === undefined || type === "local");
}

class ResponsesMeter implements Meter {
  reported: Tokens | undefined;
  readonly input = undefined;
  isFinished = false;
  readonly #said = new Said();

  take(answer: Json): void {
    const type = textIn(answer.type);
    const at = [answer.output_index, answer.summary_index ?? answer.content_index].map((i) => (isCount(i) ? i : "")).join(" ");
    if (type.endsWith(".delta")) this.#said.add(at, answer.delta);
    else if (type === "response.output_item.added") this.#said.add(at, objectOf(answer.item).name);
    const isWhole = answer.object === "response";
    if (isWhole) for (const [i, item] of objects(answer.output).entries()) this.#listen(i, item);
    if (!isWhole && !ends.has(type)) return;
    const response = isWhole ? answer : objectOf(answer.response);
    this.isFinished = true;
    this.reported = readUsage(response.usage) ?? this.reported;
  }

  countOutput(): number {
    return this.#said.tokens();
  }

  #listen(i: number, item: Json): void {
    for (const part of [...objects(item.content), ...objects(item.summary)]) this.#said.add(`${i} `, part.text ?? part.refusal);
    for (const text of [item.name, item.arguments ?? item.input]) this.#said.add(`${i} `, text);
  }
}

function readUsage(usage: unknown): Tokens | undefined {
  const { input_tokens, input_tokens_details, output_tokens } = objectOf(usage);
  if (!isCount(input_tokens) || !isCount(output_tokens)) return undefined;
  const cached = Math.min(countOf(objectOf(input_tokens_details).cached_tokens), input_tokens);
  return { inputTokens: input_tokens, cachedInputTokens: cached, outputTokens: output_tokens };
}
