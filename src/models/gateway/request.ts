/** What a call asks of the upstream, after the agent's request was read and brought within its limits. */
export interface PreparedCall {
  /** As the agent called it; put back in the answers. */
  askedModel: string;
  stream: boolean;
  /** The agent wants the usage chunk. */
  wantsUsage: boolean;
  /** Most output tokens the call can come to, over all its choices. */
  maxOutputTokens: number;
  /** For the upstream. */
  body: Record<string, unknown>;
}

export type Prepared = { ok: true; call: PreparedCall } | { ok: false; message: string; param: string | null };

/** These buy something beside tokens, or another model than the one that was priced. */
const unmetered = ["web_search_options", "audio", "models", "route", "plugins"] as const;

/**
 * Pure. `max_tokens` is what most servers know; OpenAI's own newer models refuse it and want `max_completion_tokens`, so an agent that sent
 * neither gets the one its provider knows.
 */
export function prepare(asked: unknown, upstream: { provider: string; model: string }, cap: number): Prepared {
  if (typeof asked !== "object" || asked === null || Array.isArray(asked)) return refuse("The body must be a JSON object.", null);
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
    const value = body[field];
    if (value === undefined || value === null) {
      delete body[field];
      continue;
    }
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1)
      return refuse(`${field} must be a whole number above 0.`, field);
    most = Math.min(most, value);
  }
  const given = fields.filter((field) => body[field] !== undefined);
  for (const field of given.length > 0 ? given : [upstream.provider === "openai" ? fields[0] : fields[1]]) body[field] = most;

  const stream = body.stream === true;
  const options = typeof body.stream_options === "object" && body.stream_options !== null ? body.stream_options : {};
  if (stream) body.stream_options = { ...options, include_usage: true };
  else delete body.stream_options;
  // A faster tier costs more than the price the budget was reserved at.
  delete body.service_tier;
  const askedModel = typeof body.model === "string" && body.model !== "" ? body.model : upstream.model;
  body.model = upstream.model;
  return {
    ok: true,
    call: {
      askedModel,
      stream,
      wantsUsage: stream && (options as { include_usage?: unknown }).include_usage === true,
      maxOutputTokens: most * choices,
      body,
    },
  };
}

const refuse = (message: string, param: string | null): Prepared => ({ ok: false, message, param });
