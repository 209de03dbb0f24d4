import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dialect, DialectName, Frame, Reply } from "./dialect.ts";
import { piecesOf, tokensOf, toolCallsOf, usageOf, type Piece } from "./pieces.ts";
import type { ScriptedAnswer, ScriptedRequest } from "./script.ts";

/** What one request got: the truth a bill is held against. */
export interface ServedCall {
  /** Counting from 1. */
  n: number;
  dialect: DialectName;
  model: string;
  stream: boolean;
  status: number;
  /** `completed`; `cut`: the client went away; the others name the fault. `open`: still being served. */
  outcome: "open" | "completed" | "cut" | "error" | "malformed" | "reset" | "hang" | "truncate";
  /** The client was sent these figures. When false they are what the answer would have come to. */
  usageReported: boolean;
  /** The client was sent those of the input: some formats tell them before the answer's end. */
  inputReported: boolean;
  /** Includes cached ones and cache writes. */
  promptTokens: number;
  cachedTokens: number;
  cacheWriteTokens: number;
  completionTokens: number;
  /** Output tokens counted in what was written to the client, whatever the script says about usage. */
  sentTokens: number;
  sentChunks: number;
  totalChunks: number;
  /** The request, for tests to look at. */
  request: Readonly<Record<string, unknown>>;
}

/** Serves an answer in its wire format, with its delays and faults, and keeps count in `call`. */
export async function serve(
  call: ServedCall,
  dialect: Dialect,
  request: ScriptedRequest,
  answer: ScriptedAnswer,
  res: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const { fault } = answer;
  const end = (outcome: ServedCall["outcome"]): void => {
    if (call.outcome === "open") call.outcome = outcome;
  };
  const wait = (ms: number | undefined): Promise<void> =>
    ms ? sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined) : Promise.resolve();

  await wait(answer.firstDelayMs);
  if (gone.signal.aborted) return end("cut");
  if (fault?.kind === "status") {
    call.status = fault.status;
    end("error");
    if (fault.retryAfterSeconds !== undefined) res.setHeader("retry-after", String(fault.retryAfterSeconds));
    if (fault.body === undefined)
      return sendJson(res, fault.status, dialect.error(fault.status, fault.message ?? `Scripted error ${fault.status}.`));
    res.writeHead(fault.status, { "content-type": "text/html" }).end(fault.body);
    return;
  }
  if ((fault?.kind === "reset" || fault?.kind === "hang") && fault.afterChunks === undefined) {
    end(fault.kind);
    if (fault.kind === "reset") res.socket?.resetAndDestroy();
    return;
  }

  const calls = toolCallsOf(answer, call.n);
  const pieces = piecesOf(answer, calls, dialect.wholeCalls);
  const figures = usageOf(answer, request, pieces);
  Object.assign(call, { status: 200, totalChunks: pieces.length, ...figures });
  const usage = answer.usage === "none" ? undefined : figures;
  const finish = answer.finishReason ?? (calls.length > 0 ? "tool_calls" : "stop");
  const reply: Reply = { n: call.n, request, text: answer.text, calls, finish, usage };
  const reports = usage !== undefined && dialect.reportsUsage(request.body);

  if (!call.stream) {
    sendJson(res, 200, dialect.whole(reply));
    Object.assign(call, { usageReported: reports, inputReported: reports, sentTokens: tokensOf(pieces), sentChunks: pieces.length });
    return end("completed");
  }

  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  res.flushHeaders();
  const write = async (frames: readonly Frame[]): Promise<void> => {
    const text = frames.map(({ event, data }) => `${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
    if (text.length > 0 && !res.write(text.join("")))
      await Promise.race([new Promise((r) => res.once("drain", r)), new Promise((r) => gone.signal.addEventListener("abort", r))]);
  };
  const stream = dialect.stream(reply);
  const sent: Piece[] = [];
  const faultDue = (): typeof fault => (fault && "afterChunks" in fault && fault.afterChunks === sent.length ? fault : undefined);

  await write(stream.open());
  call.inputReported = reports && stream.tellsInput === "first";
  for (const piece of [...pieces, undefined]) {
    const due = faultDue();
    if (due?.kind === "malformed") res.write('data: {"choices":[{"delta":{"content":"tor\n\n');
    else if (due) {
      call.sentTokens = tokensOf(sent);
      end(due.kind);
      // A reset overtakes what the client has not read yet.
      if (due.kind === "reset") await wait(answer.chunkDelayMs).then(() => res.socket?.resetAndDestroy());
      if (due.kind === "truncate") res.end();
      return;
    }
    if (!piece) break;
    await wait(answer.chunkDelayMs);
    if (gone.signal.aborted) break;
    await write(stream.piece(piece, sent));
    call.inputReported ||= reports && stream.tellsInput === "every piece";
    sent.push(piece);
    call.sentChunks = sent.length;
  }
  call.sentTokens = tokensOf(sent);
  if (gone.signal.aborted) return end("cut");
  await write(stream.close(sent));
  Object.assign(call, { usageReported: reports, inputReported: reports });
  res.end(stream.last);
  end(fault?.kind === "malformed" ? "malformed" : "completed");
}

export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
