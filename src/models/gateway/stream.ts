import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { apiError, sendJson } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import type { Passage, Tried } from "./one-try.ts";
import { outletFor } from "./outlet.ts";
import { isPreamble, preambleMs } from "./preamble.ts";
import type { Outcome } from "./spool.ts";
import { dataOf, eventsOf } from "./sse.ts";
import { translatedHeader } from "./translate/index.ts";
import { UpstreamFailure, type UpstreamAnswer } from "./upstream.ts";
import { isObject, type Json, type PreparedCall } from "./wire/wire.ts";

/**
 * Passes a stream of chunks to the agent as they arrive, reading no faster than it does. An event is passed byte for byte unless it must be
 * changed: the model's name put back, a usage the agent did not ask for taken out, all of it where the agent speaks another format.
 * The agent's answer begins with the first chunk that says something: a stream that fails before is as if it had never been, and another
 * upstream may be asked.
 */
export async function passStream(passage: Passage, call: OpenCall, prepared: PreparedCall, answer: UpstreamAnswer): Promise<Tried> {
  const { res, wire, mask, upstream, translated } = passage;
  const outlet = outletFor(passage, prepared);
  const meter = wire.meter();
  let problem: string | undefined;
  let outcome: Outcome = "ok";
  let hasBegun = false;
  const begin = (): void => {
    if (hasBegun || res.destroyed) return;
    hasBegun = true;
    passage.watch.began();
    const own = passage.isPassThrough ? answer.headers() : translated ? translatedHeader(translated) : {};
    res.writeHead(answer.status, { ...own, "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  };
  // Told before the agent is: its next call may come at once.
  const broke = (): void => {
    if (hasBegun && problem !== undefined && outcome !== "cancelled") passage.watch.broke(wordsOf(problem));
  };
  const wordsOf = (what: string): string => mask.text(`The model endpoint ${upstream} ${what}.`);
  let out = "";
  let opened: NodeJS.Timeout | undefined;
  const giveOut = (): void => {
    begin();
    if (out !== "" && !res.destroyed) res.write(mask.text(out));
    out = "";
  };
  try {
    for await (const events of eventsOf(answer.body)) {
      for (const event of events) {
        const read = readEvent(event);
        if (read.kind === "torn") problem ??= "sent a chunk that is not JSON";
        if (read.kind !== "chunk") {
          out += outlet.other(event, read.kind === "torn");
          continue;
        }
        meter.take(read.chunk);
        const said = wire.problemIn(read.chunk);
        // As with errors before the stream: words about the agent's own login are not recorded.
        if (said !== undefined) problem ??= passage.isPassThrough ? "reported an error" : said;
        if (problem === undefined && !hasBegun) {
          if (isPreamble(read.chunk)) opened ??= setTimeout(giveOut, preambleMs);
          else begin();
        }
        out += outlet.chunk(event, read.chunk);
      }
      if (!hasBegun && problem !== undefined) break;
      if (!hasBegun || out === "" || res.destroyed) continue;
      const text = mask.text(out);
      out = "";
      broke();
      if (!res.write(text)) await drained(res);
    }
    if (!meter.isFinished) problem ??= "ended the stream before the answer was complete";
    broke();
    out += outlet.end();
    if (hasBegun && out !== "" && !res.destroyed) res.write(mask.text(out));
  } catch (error) {
    const failure = error instanceof UpstreamFailure ? error : new UpstreamFailure("lost", true, String(error), { cause: error });
    if (failure.kind === "aborted") outcome = "cancelled";
    problem ??= failure.message;
    if (!res.destroyed && (hasBegun || outcome === "cancelled")) {
      begin();
      broke();
      const sentence = failure.kind === "aborted" ? mask.text(`The call was cancelled: ${failure.message}.`) : wordsOf(failure.message);
      res.write(outlet.fail(sentence));
    }
  }
  clearTimeout(opened);
  if (problem !== undefined && outcome === "ok") outcome = "failed";
  const why = wordsOf(problem ?? "");
  if (hasBegun) res.end();
  await call.end(
    meter.reported
      ? { kind: "reported", tokens: meter.reported, outcome }
      : { kind: "passed", input: meter.input, outputTokens: meter.countOutput(), outcome },
    outcome === "failed" ? why : undefined,
  );
  if (outcome === "cancelled") return { kind: "over" };
  if (outcome === "ok") return { kind: "answered" };
  if (hasBegun) return { kind: "broke" };
  const tell = (): void => sendJson(res, 502, passage.agent.error(502, apiError("upstream_error", why, "stream_interrupted")));
  return { kind: "failed", why, tell };
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
