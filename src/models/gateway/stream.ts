import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { apiError } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import type { Passage } from "./model-call.ts";
import type { Outcome } from "./spool.ts";
import { dataOf, eventsOf, withData } from "./sse.ts";
import { UpstreamFailure, type UpstreamAnswer } from "./upstream.ts";
import { isObject, type Json, type PreparedCall } from "./wire/wire.ts";

/**
 * Passes a stream of chunks to the agent as they arrive, reading no faster than it does. An event is passed byte for byte unless it must be
 * changed: the model's name put back, a usage the agent did not ask for taken out.
 */
export async function passStream(passage: Passage, call: OpenCall, prepared: PreparedCall, answer: UpstreamAnswer): Promise<void> {
  const { res, wire, mask, upstream } = passage;
  const meter = wire.meter();
  let problem: string | undefined;
  let outcome: Outcome = "ok";
  const own = passage.isPassThrough ? answer.headers() : {};
  res.writeHead(answer.status, { ...own, "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
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
        const said = wire.problemIn(read.chunk);
        // As with errors before the stream: words about the agent's own login are not recorded.
        if (said !== undefined) problem ??= passage.isPassThrough ? "reported an error" : said;
        const passed = wire.forAgent(read.chunk, prepared);
        if (passed) out += passed === read.chunk ? event : withData(event, JSON.stringify(passed));
      }
      if (out === "" || res.destroyed) continue;
      if (!res.write(mask.text(out))) await drained(res);
    }
    if (!meter.isFinished) problem ??= "ended the stream before the answer was complete";
  } catch (error) {
    const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
    if (failure.kind === "aborted") outcome = "cancelled";
    problem ??= failure.message;
    if (!res.destroyed) {
      const sentence =
        failure.kind === "aborted" ? `The call was cancelled: ${failure.message}.` : `The model endpoint ${upstream} ${failure.message}.`;
      res.write(wire.streamError(apiError("upstream_error", mask.text(sentence), "stream_interrupted")));
    }
  }
  res.end();
  if (problem !== undefined && outcome === "ok") outcome = "failed";
  await call.end(
    meter.reported
      ? { kind: "reported", tokens: meter.reported, outcome }
      : { kind: "passed", input: meter.input, outputTokens: meter.countOutput(), outcome },
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

type Event = { kind: "chunk"; chunk: Json } | { kind: "torn" } | { kind: "other" };

function readEvent(event: string): Event {
  const data = dataOf(event);
  if (data === undefined || data === "" || data === "[DONE]") return { kind: "other" };
  try {
    const json: unknown = JSON.parse(data);
    return isObject(json) ? { kind: "chunk", chunk: json } : { kind: "torn" };
  } catch {
    return { kind: "torn" };
  }
}
