import type { IncomingMessage, ServerResponse } from "node:http";
import type { Control } from "../control/index.ts";
import type { LiveHub } from "./live-hub.ts";
import { problem, type ProblemDetails } from "./problem.ts";

export interface StreamTuning {
  heartbeatMs: number;
  /** How long a client may take nothing before it is dropped. */
  stallMs: number;
}

export const defaultStreamTuning: StreamTuning = { heartbeatMs: 15_000, stallMs: 30_000 };

/** After which a browser comes back. */
const RETRY_MS = 1000;

/** Where a stream begins: after the last id that the client has seen, or after `?after=`; `undefined`: now. */
export function beginningOf(request: Pick<IncomingMessage, "headers" | "url">): number | undefined | ProblemDetails {
  const asked = new URL(request.url ?? "", "http://127.0.0.1").searchParams.get("after");
  const given = request.headers["last-event-id"]?.toString() ?? asked ?? undefined;
  if (given === undefined || given === "") return undefined;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  return problem(
    400,
    "BAD_REQUEST",
    "`after` and Last-Event-ID are numbers of events.",
    "Give the id of the last event that you have seen.",
  );
}

/**
 * Sends everything as it happens, until the client goes or `stop`. Only so much is held for it as the socket takes: a client that takes nothing for a
 * while is dropped, and comes back with the id it has seen last.
 */
export async function serveStream(
  { control, hub, version, tuning }: { control: Pick<Control, "follow" | "lastSeq">; hub: LiveHub; version: string; tuning: StreamTuning },
  response: ServerResponse,
  { after, stop }: { after: number | undefined; stop: AbortSignal },
): Promise<void> {
  const gone = new AbortController();
  const end = AbortSignal.any([gone.signal, stop]);
  response.once("close", () => gone.abort());
  const last = await control.lastSeq();
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no" });
  response.flushHeaders();

  const write = async (text: string): Promise<void> => {
    if (end.aborted) return;
    if (!response.write(text)) await drained(response, tuning.stallMs, end);
  };
  // Of a slow client only the newest of each attempt is kept.
  const waiting = new Map<string, string>();
  let isSending = false;
  const sendLive = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    for (const [attempt, text] of waiting) {
      waiting.delete(attempt);
      await write(text);
    }
    isSending = false;
  };
  await write(`retry: ${RETRY_MS}\nevent: hello\ndata: ${JSON.stringify({ globalSeq: last, version })}\n\n`);
  const deafen = hub.listen((item) => {
    waiting.set(item.attempt, `event: live\ndata: ${JSON.stringify(item)}\n\n`);
    void sendLive();
  });
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": still here\n\n");
  }, tuning.heartbeatMs);
  try {
    // A number from another journal, or of one that was put back, is ahead of everything: it begins where this one ends.
    for await (const event of control.follow(Math.min(after ?? last, last), end)) {
      await write(`id: ${event.globalSeq}\nevent: journal\ndata: ${JSON.stringify(event)}\n\n`);
      if (end.aborted) return;
    }
  } finally {
    clearInterval(heartbeat);
    deafen();
    response.end();
    response.destroy();
  }
}

/** Waits until the client has taken what it was sent; one that does not is cut off. */
function drained(response: ServerResponse, stallMs: number, end: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      response.off("drain", over);
      end.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(() => {
      response.destroy();
      over();
    }, stallMs);
    response.once("drain", over);
    end.addEventListener("abort", over, { once: true });
  });
}
