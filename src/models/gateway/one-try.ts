import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { accessHeaders } from "./access.ts";
import { apiError, sendJson, unknownKey } from "./answers.ts";
import type { AskedCall, Calls, OpenCall } from "./calls.ts";
import type { Protocol, Upstream } from "./contract.ts";
import type { InputEstimate } from "./estimate.ts";
import type { Health } from "./failover/health.ts";
import type { Limit } from "./failover/limit-told.ts";
import type { KeyState } from "./keys.ts";
import type { Mask } from "./mask.ts";
import { passError } from "./pass-error.ts";
import { passStream } from "./stream.ts";
import { passWhole } from "./whole.ts";
import { post, UpstreamFailure, type UpstreamAnswer, type UpstreamTimeouts } from "./upstream.ts";
import { priceOf } from "./prices.ts";
import { translatedWay, withoutForeignThinking, type TranslatedCall, type Way } from "./translate/index.ts";
import type { ApiError, Json, PreparedCall, Wire } from "./wire/wire.ts";
import type { Target } from "./wire/wires.ts";

export interface ModelCallContext {
  calls: Calls;
  health: Health;
  clock: { now(): number };
  estimate: InputEstimate;
  mask: Mask;
  timeouts: UpstreamTimeouts;
  /** Largest request body, bytes. */
  maxBodyBytes: number;
}

/** What an agent asks, before it is known which upstream will answer. */
export interface AgentCall {
  key: KeyState;
  /** The key as it came. */
  secret: string;
  target: Target;
  headers: IncomingHttpHeaders;
  query: URLSearchParams;
  body: Json;
  isPassThrough: boolean;
  res: ServerResponse;
  /** Aborts when the agent has gone away. */
  gone: AbortSignal;
}

/** A call on its way through: whose it is, in which format, and where it goes. */
export interface Passage {
  key: KeyState;
  /** What the upstream speaks. */
  wire: Wire;
  /** What the agent speaks. */
  agent: Wire;
  /** Set where these are two. */
  translated: TranslatedCall | undefined;
  /** The upstream and the model, for sentences. */
  upstream: string;
  isPassThrough: boolean;
  mask: Mask;
  res: ServerResponse;
  clock: { now(): number };
  watch: TryWatch;
}

/** Told of an answer on its way. */
export interface TryWatch {
  /** The upstream's answer has begun. */
  began(): void;
  /** It broke off in the middle. Told before the agent is: its next call may come at once. */
  broke(why: string): void;
}

/** How it went at one upstream. The call to it is settled, whatever came of it. */
export type Tried =
  /** The agent has its answer, or what the upstream says of its request. */
  | { kind: "answered" }
  /** Nobody waits for an answer any more. */
  | { kind: "over" }
  /** It was not to go out: a budget, or the request itself. The agent has been told. */
  | { kind: "refused" }
  /** The provider failed with the answer under way: the agent has been told, and the watch before it. */
  | { kind: "broke" }
  /** The provider failed, or has told of a limit, and the agent has heard nothing. `tell`: what it would hear. */
  | { kind: "failed"; why: string; tell(): void }
  | { kind: "limited"; limit: Limit; why: string; tell(): void };

/** Where an upstream speaks a wire format; `undefined`: it does not. */
export const baseOf = ({ bases, baseUrl }: Upstream, protocol: Protocol): string | undefined =>
  bases ? bases[protocol] : protocol === "chat" ? baseUrl : undefined;

/** Client libraries retry some errors on their own unless told not to. */
export function refuse(call: Pick<AgentCall, "res" | "target">, status: number, error: ApiError, headers?: Record<string, string>): void {
  sendJson(call.res, status, call.target.wire.error(status, error), { "x-should-retry": "false", ...headers });
}

/** One call to one upstream: prepared for it, reserved, posted, passed back, settled. */
export async function tryUpstream(call: AgentCall, upstream: Upstream, watch: TryWatch, ctx: ModelCallContext): Promise<Tried> {
  const { key, target, isPassThrough, res } = call;
  const refused = (status: number, error: ApiError): Tried => {
    refuse(call, status, error);
    return { kind: "refused" };
  };
  const found = wayTo(call, upstream, ctx);
  if (!found.ok) {
    key.usage.upstreamError = found.message;
    return refused(400, apiError("invalid_request_error", found.message, "not_translatable", found.param));
  }
  const { way } = found;
  const { wire, translated } = way;
  const own = accessHeaders(call.headers, { key, secret: call.secret, upstream }, way.base, wire.protocol);
  const prepared = wire.prepare(way.body, {
    provider: upstream.provider,
    model: isPassThrough ? undefined : upstream.model,
    cap: key.spec.maxOutputTokens,
    ...(way.path && { path: way.path }),
    providerTools: isPassThrough && key.budgetIds.length === 0 ? "keep" : "take-out",
  });
  if (!prepared.ok) return refused(400, apiError("invalid_request_error", prepared.message, null, prepared.param));
  if (key.closed) return refused(401, unknownKey);
  const over = AbortSignal.any([call.gone, key.over.signal]);
  const reserved = await ctx.calls.begin(key, askedCall(upstream, prepared.call, ctx.estimate), over);
  if (!reserved.ok) return refused(402, apiError("budget_exhausted", reserved.message, reserved.code));

  const { call: prep } = prepared;
  // Its own login may come back in an error's text.
  const mask = isPassThrough ? ctx.mask.with(own.logins) : ctx.mask;
  const passage: Passage = {
    key,
    wire,
    agent: target.wire,
    translated,
    upstream: `${upstream.provider} (${prep.model})`,
    isPassThrough,
    mask,
    res,
    clock: ctx.clock,
    watch,
  };
  const signal = AbortSignal.any([call.gone, reserved.call.signal]);
  try {
    const { base } = way;
    // The query is the agent's format's.
    const url = translated ? base.replace(/\/+$/, "") + way.upstreamPath(prep.model) : urlOf(call, base, prep.model);
    const answer = await post({ url, headers: own.headers, body: JSON.stringify(prep.body) }, ctx.timeouts, signal);
    if (answer.status < 200 || answer.status > 299) return await passError(passage, reserved.call, answer);
    if (prep.stream && isEventStream(answer)) return await passStream(passage, reserved.call, prep, answer);
    return await passWhole(passage, reserved.call, prep, answer);
  } catch (error) {
    return failed(passage, reserved.call, error);
  }
}

/** As the agent asks, where the upstream speaks its format; else translated. */
function wayTo(call: AgentCall, upstream: Upstream, { clock }: ModelCallContext): ReturnType<typeof translatedWay> {
  const { target, key, body, isPassThrough } = call;
  const base = baseOf(upstream, target.wire.protocol);
  if (base !== undefined) {
    // Of a chain others may have answered before.
    const own = key.spec.upstreams.length > 1 && !isPassThrough ? withoutForeignThinking(target.wire.protocol, body) : body;
    const way: Way = { wire: target.wire, base, body: own, path: target.path, upstreamPath: target.upstreamPath };
    return { ok: true, way };
  }
  const id = randomUUID().replaceAll("-", "");
  return translatedWay(target, body, upstream, { cap: key.spec.maxOutputTokens, id, at: clock.now(), seals: key.seals });
}

export const urlOf = ({ target, query }: Pick<AgentCall, "target" | "query">, base: string, model: string): string =>
  base.replace(/\/+$/, "") + target.upstreamPath(model) + (query.size > 0 ? `?${query.toString()}` : "");

function askedCall(upstream: Upstream, call: PreparedCall, estimate: InputEstimate): AskedCall {
  return {
    provider: upstream.provider,
    model: call.model,
    // An agent with its own login may ask for another model than the one agreed on.
    price: call.model === upstream.model ? upstream.price : priceOf(upstream.provider, call.model),
    inputTokens: estimate.of(call.body),
    maxOutputTokens: call.maxOutputTokens,
    cacheWrites: call.cacheWrites,
    isUnpriced: call.isUnpriced,
  };
}

const isEventStream = (answer: UpstreamAnswer): boolean => answer.header("content-type")?.includes("text/event-stream") ?? false;

/** No answer at all: the connection failed, nothing came in time, or the call was aborted. */
async function failed({ res, agent, upstream, mask }: Passage, call: OpenCall, error: unknown): Promise<Tried> {
  const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
  const sentence = mask.text(`The model endpoint ${upstream} ${failure.message}.`);
  if (failure.kind === "aborted") {
    const cancelled = apiError("cancelled", mask.text(`The call was cancelled: ${failure.message}.`), "cancelled");
    sendJson(res, 499, agent.error(499, cancelled));
    await call.end(failure.sent ? { kind: "no-answer", outcome: "cancelled" } : { kind: "not-charged" });
    return { kind: "over" };
  }
  await call.end(failure.sent ? { kind: "no-answer", outcome: "failed" } : { kind: "not-charged" }, sentence);
  const [status, code] = failure.kind === "timeout" ? [504, "upstream_timeout"] : [502, "upstream_unreachable"];
  return {
    kind: "failed",
    why: sentence,
    tell: () => sendJson(res, status, agent.error(status, apiError("upstream_error", sentence, code))),
  };
}
