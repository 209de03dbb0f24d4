import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { apiError } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import type { Mask } from "./mask.ts";
import { Meter } from "./meter.ts";
import type { PreparedCall } from "./request.ts";
import type { Outcome } from "./spool.ts";
import { dataOf, eventsOf } from "./sse.ts";
import { UpstreamFailure, type UpstreamAnswer } from "./upstream.ts";

/**
 * Passes a stream of chunks to the agent as they arrive, reading no faster than it does. An event is passed byte for byte unless it must be
 * changed: the model's name put back, a usage the agent did not ask for taken out.
 */
export async function passStream(
  res: ServerResponse,
  call: OpenCall,
  prepared: PreparedCall,
  answer: UpstreamAnswer,
  mask: Mask,
  upstream: string,
): Promise<void> {
  const meter = new Meter();
  let problem: string | undefined;
  let outcome: Outcome = "ok";
  res.writeHead(answer.status, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  res.flushHeaders();
  try {
    for await (const events of eventsOf(answer.body)) {
      let out = "";
      for (const event of events) {
        const read = readEvent(event);
        if (read.kind === "torn") problem ??= "sent a chunk that is not JSON";
        if (read.kind !== "chunk") {
          out += event;
          continue;
        }
        meter.take(read.chunk);
        if (read.chunk.error) problem ??= `reported an error: ${JSON.stringify(read.chunk.error).slice(0, 500)}`;
        out += passOn(event, read.chunk, prepared);
      }
      if (out === "" || res.destroyed) continue;
      if (!res.write(mask.text(out))) await drained(res);
    }
    if (!meter.finished) problem ??= "ended the stream before the answer was complete";
  } catch (error) {
    const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
    if (failure.kind === "aborted") outcome = "cancelled";
    problem ??= failure.message;
    if (!res.destroyed) {
      const sentence =
        failure.kind === "aborted" ? `The call was cancelled: ${failure.message}.` : `The model endpoint ${upstream} ${failure.message}.`;
      res.write(`data: ${JSON.stringify({ error: apiError("upstream_error", mask.text(sentence), "stream_interrupted") })}\n\n`);
    }
  }
  res.end();
  if (problem !== undefined && outcome === "ok") outcome = "failed";
  await call.end(
    meter.reported ? { kind: "reported", tokens: meter.reported, outcome } : { kind: "passed", outputTokens: meter.countOutput(), outcome },
    outcome === "failed" ? mask.text(`The model endpoint ${upstream} ${problem}.`) : undefined,
  );
}

/** Waits until the agent has read. When it went away the wait ends too: that aborts the upstream, whose failure the loop then sees. */
async function drained(res: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(res, "drain", { signal }), once(res, "close", { signal })]).catch(() => undefined);
  over.abort();
}

type Event = { kind: "chunk"; chunk: Record<string, unknown> } | { kind: "torn" } | { kind: "other" };

function readEvent(event: string): Event {
  const data = dataOf(event);
  if (data === undefined || data === "" || data === "[DONE]") return { kind: "other" };
  try {
    const json: unknown = JSON.parse(data);
    return typeof json === "object" && json !== null ? { kind: "chunk", chunk: json as Record<string, unknown> } : { kind: "torn" };
  } catch {
    return { kind: "torn" };
  }
}

/** The event as the agent gets it; empty when it is not for it. */
function passOn(event: string, chunk: Record<string, unknown>, { askedModel, wantsUsage }: PreparedCall): string {
  const hidden = !wantsUsage && "usage" in chunk;
  const renamed = "model" in chunk && chunk.model !== askedModel;
  if (hidden && Array.isArray(chunk.choices) && chunk.choices.length === 0) return "";
  if (!hidden && !renamed) return event;
  const { usage: _, ...rest } = chunk;
  return `data: ${JSON.stringify({ ...(hidden ? rest : chunk), ...(renamed && { model: askedModel }) })}\n\n`;
}
