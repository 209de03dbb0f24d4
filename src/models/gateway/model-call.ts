import type { IncomingMessage, ServerResponse } from "node:http";
import { accessHeaders, type Access } from "./access.ts";
import { apiError, sendJson, unknownKey } from "./answers.ts";
import { readAsked } from "./asked.ts";
import type { AskedCall, Calls, OpenCall } from "./calls.ts";
import type { InputEstimate } from "./estimate.ts";
import type { KeyState } from "./keys.ts";
import type { Mask } from "./mask.ts";
import { passError } from "./pass-error.ts";
import { passStream } from "./stream.ts";
import { post, UpstreamFailure, type UpstreamAnswer, type UpstreamTimeouts } from "./upstream.ts";
import { priceOf } from "./prices.ts";
import type { Json, PreparedCall, Wire } from "./wire/wire.ts";
import type { Target } from "./wire/wires.ts";

export interface ModelCallContext {
  calls: Calls;
  estimate: InputEstimate;
  mask: Mask;
  timeouts: UpstreamTimeouts;
  /** Largest request body, bytes. */
  maxBodyBytes: number;
}

/** A call on its way through: whose it is, in which format, and where it goes. */
export interface Passage {
  key: KeyState;
  wire: Wire;
  /** The upstream and the model, for sentences. */
  upstream: string;
  isPassThrough: boolean;
  mask: Mask;
  res: ServerResponse;
}

/** Most that is read of an answer that is not streamed. */
const maxAnswerBytes = 64 << 20;

/** One call of a model, in any of the wire formats: read, reserve, forward, pass back, settle. */
export async function modelCall(
  req: IncomingMessage,
  res: ServerResponse,
  target: Target,
  access: Access & { key: KeyState; secret: string },
  ctx: ModelCallContext,
): Promise<void> {
  const { key } = access;
  const { wire } = target;
  const refuse = (status: number, error: ReturnType<typeof apiError>, headers?: Record<string, string>): void =>
    // Client libraries retry some of these on their own unless told not to.
    sendJson(res, status, wire.error(status, error), { "x-should-retry": "false", ...headers });

  const asked = await readAsked(req, ctx.maxBodyBytes);
  if (asked.kind === "gone") return;
  if (asked.kind === "too-large") {
    res.once("finish", () => req.destroy());
    const limit = `${Math.floor(ctx.maxBodyBytes / 1024)} KiB`;
    const error = apiError("invalid_request_error", `The request is larger than ${limit}.`, "request_too_large");
    return refuse(413, error, { connection: "close" });
  }
  if (asked.kind === "no-json") return refuse(400, apiError("invalid_request_error", "The body is not a JSON object."));

  const isPassThrough = key.spec.credentials === "pass-through";
  const bases = key.upstream.bases ?? { chat: key.upstream.baseUrl };
  const base = bases[wire.protocol];
  if (base === undefined) {
    const spoken = Object.keys(bases).join(", ");
    const message =
      `The provider ${key.upstream.provider} does not speak ${wire.protocol}; it speaks ${spoken}. ` +
      `Use an agent that speaks ${spoken}, or set \`protocol\` of the provider if it does speak ${wire.protocol}.`;
    key.usage.upstreamError = message;
    return refuse(400, apiError("invalid_request_error", message, "protocol_not_spoken"));
  }
  const own = accessHeaders(req.headers, key, access.secret, base, wire.protocol);
  if (isPassThrough) access.query.delete("key", access.secret);
  else access.query.delete("key");
  const url = (model: string): string => {
    const query = access.query.size > 0 ? `?${access.query.toString()}` : "";
    return base.replace(/\/+$/, "") + target.upstreamPath(model) + query;
  };
  if (target.act === "count") return count(res, asked.body, target, { key, isPassThrough, url, headers: own, wire, ctx });
  if (target.path?.stream && access.query.get("alt") !== "sse")
    return refuse(400, apiError("invalid_request_error", "Streams are supported as server-sent events only: add ?alt=sse."));

  const prepared = wire.prepare(asked.body, {
    provider: key.upstream.provider,
    model: isPassThrough ? undefined : key.upstream.model,
    cap: key.spec.maxOutputTokens,
    ...(target.path && { path: target.path }),
    providerTools: isPassThrough && key.budgetIds.length === 0 ? "keep" : "take-out",
  });
  if (!prepared.ok) return refuse(400, apiError("invalid_request_error", prepared.message, null, prepared.param));
  const { call } = prepared;
  if (key.closed) return refuse(401, unknownKey);
  const begun = ctx.calls.begin(key, askedCall(key, call, ctx.estimate));
  if (!begun.ok) return refuse(402, apiError("budget_exhausted", begun.message, begun.code));

  // Its own login may come back in an error's text.
  const mask = isPassThrough ? ctx.mask.with(own.logins) : ctx.mask;
  const passage: Passage = { key, wire, upstream: `${key.upstream.provider} (${call.model})`, isPassThrough, mask, res };
  const gone = new AbortController();
  const onClose = (): void => gone.abort("the agent closed the connection");
  res.once("close", onClose);
  if (res.destroyed) onClose();
  const signal = AbortSignal.any([gone.signal, begun.call.signal]);
  try {
    const answer = await post({ url: url(call.model), headers: own.headers, body: JSON.stringify(call.body) }, ctx.timeouts, signal);
    if (answer.status < 200 || answer.status > 299) await passError(passage, begun.call, answer);
    else if (call.stream && isEventStream(answer)) await passStream(passage, begun.call, call, answer);
    else await passWhole(passage, begun.call, call, answer);
  } catch (error) {
    await failed(passage, begun.call, error);
  } finally {
    res.off("close", onClose);
  }
}

function askedCall(key: KeyState, call: PreparedCall, estimate: InputEstimate): AskedCall {
  const { upstream } = key;
  return {
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

interface Counting {
  key: KeyState;
  isPassThrough: boolean;
  url(model: string): string;
  headers: ReturnType<typeof accessHeaders>;
  wire: Wire;
  ctx: ModelCallContext;
}

/** Tokens counted ahead cost nothing: passed on, and not on the bill. */
async function count(
  res: ServerResponse,
  asked: Json,
  target: Target,
  { key, isPassThrough, url, headers, wire, ctx }: Counting,
): Promise<void> {
  const model = isPassThrough ? (target.path?.model ?? "") : key.upstream.model;
  const body = isPassThrough || target.path ? asked : { ...asked, model };
  const gone = new AbortController();
  res.once("close", () => gone.abort("the agent closed the connection"));
  try {
    const answer = await post({ url: url(model), headers: headers.headers, body: JSON.stringify(body) }, ctx.timeouts, gone.signal);
    const text = ctx.mask.text((await wholeOf(answer)).toString("utf8"));
    if (!res.destroyed) res.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  } catch (error) {
    const why = error instanceof UpstreamFailure ? error.message : "failed";
    const sentence = ctx.mask.text(`The model endpoint ${key.upstream.provider} ${why}.`);
    sendJson(res, 502, wire.error(502, apiError("upstream_error", sentence, "upstream_unreachable")));
  }
}

/** No answer at all: the connection failed, nothing came in time, or the call was aborted. */
async function failed({ res, wire, upstream, mask }: Passage, call: OpenCall, error: unknown): Promise<void> {
  const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
  const sentence = mask.text(`The model endpoint ${upstream} ${failure.message}.`);
  if (failure.kind === "aborted") {
    const cancelled = apiError("cancelled", mask.text(`The call was cancelled: ${failure.message}.`), "cancelled");
    sendJson(res, 499, wire.error(499, cancelled));
    return call.end(failure.sent ? { kind: "no-answer", outcome: "cancelled" } : { kind: "not-charged" });
  }
  const [status, code] = failure.kind === "timeout" ? [504, "upstream_timeout"] : [502, "upstream_unreachable"];
  sendJson(res, status, wire.error(status, apiError("upstream_error", sentence, code)));
  return call.end(failure.sent ? { kind: "no-answer", outcome: "failed" } : { kind: "not-charged" }, sentence);
}

/** An answer in one piece. An event stream nobody asked for, or JSON where a stream was asked for, is passed as it is when it is JSON. */
async function passWhole(
  { res, wire, mask, isPassThrough }: Passage,
  call: OpenCall,
  prepared: PreparedCall,
  answer: UpstreamAnswer,
): Promise<void> {
  let json: Json;
  try {
    json = JSON.parse(mask.text((await wholeOf(answer)).toString("utf8"))) as Json;
  } catch (cause) {
    if (cause instanceof UpstreamFailure) throw cause;
    throw new UpstreamFailure("lost", true, "sent something that is not JSON", { cause });
  }
  const meter = wire.meter();
  meter.take(json);
  sendJson(res, answer.status, wire.forAgent(json, { ...prepared, wantsUsage: true }) ?? json, isPassThrough ? answer.headers() : {});
  await call.end(
    meter.reported
      ? { kind: "reported", tokens: meter.reported, outcome: "ok" }
      : { kind: "passed", input: meter.input, outputTokens: meter.countOutput(), outcome: "ok" },
  );
}

async function wholeOf(answer: UpstreamAnswer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > maxAnswerBytes) throw new UpstreamFailure("lost", true, "sent an answer that is too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
