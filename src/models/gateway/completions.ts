import type { IncomingMessage, ServerResponse } from "node:http";
import { apiError, readBody, sendError, sendJson, unknownKey, type ApiError } from "./answers.ts";
import type { Calls, OpenCall } from "./calls.ts";
import type { InputEstimate } from "./estimate.ts";
import type { KeyState } from "./keys.ts";
import type { Mask } from "./mask.ts";
import { Meter } from "./meter.ts";
import { prepare, type PreparedCall } from "./request.ts";
import { passStream } from "./stream.ts";
import { post, UpstreamFailure, type UpstreamAnswer, type UpstreamTimeouts } from "./upstream.ts";

export interface CompletionsContext {
  calls: Calls;
  estimate: InputEstimate;
  mask: Mask;
  timeouts: UpstreamTimeouts;
  /** Largest request body, bytes. */
  maxBodyBytes: number;
}

/** Most that is read of an upstream's error, and of an answer that is not streamed. */
const maxErrorBytes = 1 << 20;
const maxAnswerBytes = 64 << 20;

/** POST /v1/chat/completions: read, reserve, forward, pass back, settle. */
export async function chatCompletions(req: IncomingMessage, res: ServerResponse, key: KeyState, ctx: CompletionsContext): Promise<void> {
  const body = await readBody(req, ctx.maxBodyBytes);
  if (!body.ok) {
    if (body.because === "gone") return;
    const limit = `${Math.floor(ctx.maxBodyBytes / 1024)} KiB`;
    res.once("finish", () => req.destroy());
    return sendError(res, 413, apiError("invalid_request_error", `The request is larger than ${limit}.`, "request_too_large"), {
      connection: "close",
    });
  }
  let asked: unknown;
  try {
    asked = JSON.parse(body.text);
  } catch {
    return sendError(res, 400, apiError("invalid_request_error", "The body is not JSON."));
  }
  const prepared = prepare(asked, key.upstream, key.spec.maxOutputTokens);
  if (!prepared.ok) return sendError(res, 400, apiError("invalid_request_error", prepared.message, null, prepared.param));
  const { call } = prepared;

  if (key.closed) return sendError(res, 401, unknownKey);
  const begun = ctx.calls.begin(key, ctx.estimate.of(call.body), call.maxOutputTokens);
  if (!begun.ok) return sendError(res, 402, apiError("budget_exhausted", begun.message, begun.code));

  const gone = new AbortController();
  const onClose = (): void => gone.abort("the agent closed the connection");
  res.once("close", onClose);
  if (res.destroyed) onClose();
  const signal = AbortSignal.any([gone.signal, begun.call.signal]);
  try {
    const answer = await post(key.upstream, "/chat/completions", JSON.stringify(call.body), ctx.timeouts, signal);
    if (answer.status < 200 || answer.status > 299) await passError(res, key, begun.call, answer, ctx.mask);
    else if (call.stream && isEventStream(answer)) await passStream(res, begun.call, call, answer, ctx.mask, named(key));
    else await passWhole(res, begun.call, call, answer, ctx.mask);
  } catch (error) {
    await failed(res, key, begun.call, error, ctx.mask);
  } finally {
    res.off("close", onClose);
  }
}

const named = (key: KeyState): string => `${key.upstream.provider} (${key.upstream.model})`;

const isEventStream = (answer: UpstreamAnswer): boolean => answer.header("content-type")?.includes("text/event-stream") ?? false;

/** No answer at all: the connection failed, nothing came in time, or the call was aborted. */
async function failed(res: ServerResponse, key: KeyState, call: OpenCall, error: unknown, mask: Mask): Promise<void> {
  const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
  const sentence = mask.text(`The model endpoint ${named(key)} ${failure.message}.`);
  if (failure.kind === "aborted") {
    sendError(res, 499, apiError("cancelled", mask.text(`The call was cancelled: ${failure.message}.`), "cancelled"));
    return call.end(failure.sent ? { kind: "no-answer", outcome: "cancelled" } : { kind: "not-charged" });
  }
  const [status, code] = failure.kind === "timeout" ? [504, "upstream_timeout"] : [502, "upstream_unreachable"];
  sendError(res, status, apiError("upstream_error", sentence, code));
  return call.end(failure.sent ? { kind: "no-answer", outcome: "failed" } : { kind: "not-charged" }, sentence);
}

async function passError(res: ServerResponse, key: KeyState, call: OpenCall, answer: UpstreamAnswer, mask: Mask): Promise<void> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of answer.body) {
      parts.push(part);
      size += part.length;
      if (size > maxErrorBytes) break;
    }
  } catch {
    // The status says enough; what has come of the message is passed on.
  }
  const error = errorFrom(mask.text(Buffer.concat(parts).toString("utf8")), answer.status, named(key));
  const retryAfter = answer.header("retry-after");
  // A redirect or another odd status would make a client do something else than report it.
  const status = answer.status >= 400 ? answer.status : 502;
  sendError(res, status, error, retryAfter === undefined ? {} : { "retry-after": mask.text(retryAfter) });
  const end = answer.status >= 400 && answer.status < 500 ? ({ kind: "not-charged" } as const) : ({ kind: "upstream-error" } as const);
  await call.end(end, `HTTP ${answer.status} from ${named(key)}: ${error.message}`.slice(0, 2_000));
}

/** Keeps an error in OpenAI's shape as it is; words any other answer as one. */
function errorFrom(text: string, status: number, upstream: string): ApiError {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return apiError("upstream_error", error);
    if (typeof error === "object" && error !== null && typeof (error as { message?: unknown }).message === "string")
      return { ...apiError("upstream_error", ""), ...(error as { message: string }) };
  } catch {
    // Not JSON: an HTML page of a proxy, most likely.
  }
  const start = text
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 500);
  return apiError("upstream_error", `${upstream} answered HTTP ${status}${start === "" ? "" : `: ${start}`}`);
}

/** An answer in one piece. An event stream nobody asked for, or JSON where a stream was asked for, is passed as it is when it is JSON. */
async function passWhole(res: ServerResponse, call: OpenCall, prepared: PreparedCall, answer: UpstreamAnswer, mask: Mask): Promise<void> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > maxAnswerBytes) throw new UpstreamFailure("lost", true, "sent an answer that is too large");
    parts.push(part);
  }
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(mask.text(Buffer.concat(parts).toString("utf8"))) as Record<string, unknown>;
  } catch (cause) {
    throw new UpstreamFailure("lost", true, "sent something that is not JSON", { cause });
  }
  const meter = new Meter();
  meter.take(json);
  sendJson(res, answer.status, { ...json, ...(json.model !== undefined && { model: prepared.askedModel }) });
  await call.end(
    meter.reported
      ? { kind: "reported", tokens: meter.reported, outcome: "ok" }
      : { kind: "passed", outputTokens: meter.countOutput(), outcome: "ok" },
  );
}
