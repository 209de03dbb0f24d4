import type { IncomingMessage, ServerResponse } from "node:http";
import { accessHeaders, type Access } from "./access.ts";
import { apiError, sendJson } from "./answers.ts";
import { readAsked } from "./asked.ts";
import { throughUpstreams } from "./failover/through-upstreams.ts";
import type { KeyState } from "./keys.ts";
import { baseOf, refuse, urlOf, type AgentCall, type ModelCallContext } from "./one-try.ts";
import { post, UpstreamFailure } from "./upstream.ts";
import type { Target } from "./wire/wires.ts";
import { objectOf } from "./wire/wire.ts";
import { wholeOf } from "./whole.ts";

/** One call of a model, in any of the wire formats: read, and put to the key's upstreams until one answers. */
export async function modelCall(
  req: IncomingMessage,
  res: ServerResponse,
  target: Target,
  access: Access & { key: KeyState; secret: string },
  ctx: ModelCallContext,
): Promise<void> {
  const { key, secret, query } = access;
  const asked = await readAsked(req, ctx.maxBodyBytes);
  if (asked.kind === "gone") return undefined;
  if (asked.kind === "too-large") {
    res.once("finish", () => req.destroy());
    const limit = `${Math.floor(ctx.maxBodyBytes / 1024)} KiB`;
    const error = apiError("invalid_request_error", `The request is larger than ${limit}.`, "request_too_large");
    return refuse({ res, target }, 413, error, { connection: "close" });
  }
  if (asked.kind === "no-json") return refuse({ res, target }, 400, apiError("invalid_request_error", "The body is not a JSON object."));

  const { protocol } = target.wire;
  const isPassThrough = key.spec.credentials === "pass-through";
  // The login of a pass-through agent is one provider's.
  const all = isPassThrough ? [key.upstream] : key.spec.upstreams;
  // Its own model is asked in its own format; ours may be translated.
  const upstreams = isPassThrough ? all.filter((upstream) => baseOf(upstream, protocol) !== undefined) : all;
  if (upstreams.length === 0) {
    const spoken = Object.keys(key.upstream.bases ?? { chat: "" }).join(", ");
    const message =
      `The provider ${key.upstream.provider} does not speak ${protocol}; it speaks ${spoken}. ` +
      `Use an agent that speaks ${spoken}, or set \`protocol\` of the provider if it does speak ${protocol}.`;
    key.usage.upstreamError = message;
    return refuse({ res, target }, 400, apiError("invalid_request_error", message, "protocol_not_spoken"));
  }
  if (isPassThrough) query.delete("key", secret);
  else query.delete("key");
  const gone = new AbortController();
  const onClose = (): void => gone.abort("the agent closed the connection");
  res.once("close", onClose);
  if (res.destroyed) onClose();
  const call: AgentCall = {
    key,
    secret,
    target,
    headers: req.headers,
    query,
    body: asked.body,
    isPassThrough,
    res,
    gone: gone.signal,
  };
  try {
    if (target.act === "count") return await count(call, ctx);
    if (target.path?.stream && query.get("alt") !== "sse") {
      const message = "Streams are supported as server-sent events only: add ?alt=sse.";
      return refuse(call, 400, apiError("invalid_request_error", message));
    }
    return await throughUpstreams(call, upstreams, ctx);
  } finally {
    res.off("close", onClose);
  }
}

/** Tokens counted ahead cost nothing: passed on, and not on the bill. The first upstream that speaks the format is asked. */
async function count(call: AgentCall, ctx: ModelCallContext): Promise<void> {
  const { key, target, res, isPassThrough, body: asked } = call;
  const { wire } = target;
  const upstream = key.spec.upstreams.find((one) => baseOf(one, wire.protocol) !== undefined) ?? key.upstream;
  const base = baseOf(upstream, wire.protocol);
  if (base === undefined) {
    // Of another format nobody can be asked: counted here, as a reservation is.
    const tokens = ctx.estimate.of(objectOf(asked.generateContentRequest ?? asked));
    return sendJson(res, 200, wire.protocol === "gemini" ? { totalTokens: tokens } : { input_tokens: tokens });
  }
  const { headers } = accessHeaders(call.headers, { key, secret: call.secret, upstream }, base, wire.protocol);
  const model = isPassThrough ? (target.path?.model ?? "") : upstream.model;
  const body = isPassThrough || target.path ? asked : { ...asked, model };
  try {
    const answer = await post({ url: urlOf(call, base, model), headers, body: JSON.stringify(body) }, ctx.timeouts, call.gone);
    const text = ctx.mask.text((await wholeOf(answer)).toString("utf8"));
    if (!res.destroyed) res.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  } catch (error) {
    const why = error instanceof UpstreamFailure ? error.message : "failed";
    const sentence = ctx.mask.text(`The model endpoint ${upstream.provider} ${why}.`);
    sendJson(res, 502, wire.error(502, apiError("upstream_error", sentence, "upstream_unreachable")));
  }
}
