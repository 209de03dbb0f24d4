import { EventSourceParserStream } from "eventsource-parser/stream";
import { z } from "zod";
import { RemoteAnswer, type RemoteOutcome, type RemoteRequest } from "./contract.ts";
import type { Endpoint } from "./endpoint.ts";
import { httpFailure } from "./failure.ts";

const Progress = z.object({ text: z.string() });

/**
 * The plain contract (openapi.json): one POST, answered by JSON when it is done, or by a stream of events meanwhile. Closing the
 * connection is how it is cancelled.
 */
export async function post(
  endpoint: Endpoint,
  request: RemoteRequest,
  { signal, progress }: { signal: AbortSignal; progress(text: string): void },
): Promise<RemoteOutcome> {
  const response = await endpoint.fetch(endpoint.url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(request),
    signal,
  });
  const type = (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (response.ok && type === "text/event-stream" && response.body) return streamed(response.body, progress);
  const text = await response.text();
  const answer = outcomeOf(text);
  if (answer && (response.ok || answer.kind === "failed")) return answer;
  return response.ok ? misunderstood(text) : httpFailure(response.status, text);
}

async function streamed(body: ReadableStream<Uint8Array>, progress: (text: string) => void): Promise<RemoteOutcome> {
  const events = body.pipeThrough(new TextDecoderStream() as never).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of events as unknown as AsyncIterable<{ event?: string; data: string }>) {
    if (event === "progress") {
      const said = Progress.safeParse(parse(data)).data;
      if (said) progress(said.text);
    } else if (event === "done") {
      return outcomeOf(data) ?? misunderstood(data);
    }
  }
  return { kind: "failed", because: "crash", message: "the remote agent ended its stream without saying how it went" };
}

function outcomeOf(text: string): RemoteOutcome | undefined {
  const answer = RemoteAnswer.safeParse(parse(text)).data;
  if (!answer) return undefined;
  if (!("failed" in answer)) return { kind: "done", ...answer };
  return { kind: "failed", because: answer.failed.because ?? "agent", message: answer.failed.message, usage: answer.usage };
}

const misunderstood = (text: string): RemoteOutcome => ({
  kind: "failed",
  because: "agent",
  message: `the remote agent answered neither { summary } nor { failed }: ${text.slice(0, 300)}`,
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
