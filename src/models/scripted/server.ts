import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { piecesOf, tokensOf, toolCallsOf, usageJson, usageOf, type Piece } from "./chunks.ts";
import { fromScript, readRequest, type Script, type ScriptedAnswer, type ScriptedRequest, type ScriptFunction } from "./script.ts";

/** What one request got: the truth a bill is held against. */
export interface ServedCall {
  /** Counting from 1. */
  n: number;
  model: string;
  stream: boolean;
  status: number;
  /** `completed`; `cut`: the client went away; the others name the fault. `open`: still being served. */
  outcome: "open" | "completed" | "cut" | "error" | "malformed" | "reset" | "hang" | "truncate";
  /** The client was sent these figures. When false they are what the answer would have come to. */
  usageReported: boolean;
  /** Includes cached ones. */
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  /** Output tokens counted in what was written to the client, whatever the script says about usage. */
  sentTokens: number;
  sentChunks: number;
  totalChunks: number;
  /** The request, for tests to look at. */
  request: Readonly<Record<string, unknown>>;
}

export interface ScriptedModelOptions {
  script: Script | ScriptFunction;
  /** Default 0: any free port. */
  port?: number;
  /** Anything else as Bearer is a 401. */
  apiKey?: string;
}

export interface ScriptedModel extends AsyncDisposable {
  readonly port: number;
  /** Base of the API, ending in `/v1`. */
  readonly baseUrl: string;
  served(): readonly ServedCall[];
  close(): Promise<void>;
}

/**
 * A scripted stand-in for an OpenAI-compatible provider, on loopback. Everything it says is labelled: model owner, fingerprint, ids and a
 * header tell that no model was asked.
 */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const answer = typeof options.script === "function" ? options.script : fromScript(options.script);
  const models = typeof options.script === "function" ? ["scripted"] : (options.script.models ?? ["scripted"]);
  const served: ServedCall[] = [];
  const server = createServer((req, res) => {
    route(req, res).catch((error: unknown) => {
      if (!res.headersSent) sendError(res, 500, `The script failed: ${String(error)}`);
      else res.destroy();
    });
  });

  async function route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader("x-stepfall-scripted", "true");
    const path = new URL(req.url ?? "/", "http://scripted").pathname;
    if (req.method === "GET" && path === "/scripted/served") return sendJson(res, 200, served);
    if (options.apiKey !== undefined && req.headers.authorization !== `Bearer ${options.apiKey}`)
      return sendError(res, 401, `Incorrect API key provided: ${req.headers.authorization ?? "none"}`);
    if (req.method === "GET" && path === "/v1/models")
      return sendJson(res, 200, { object: "list", data: models.map((id) => ({ id, object: "model", created: 0, owned_by: "scripted" })) });
    if (req.method !== "POST" || path !== "/v1/chat/completions")
      return sendError(res, 404, `The scripted model does not serve ${req.method} ${path}.`);
    const body = JSON.parse(await readBody(req)) as Record<string, unknown>;
    const request = readRequest(body);
    const call: ServedCall = {
      n: served.length + 1,
      model: request.model,
      stream: body.stream === true,
      status: 0,
      outcome: "open",
      usageReported: false,
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      sentTokens: 0,
      sentChunks: 0,
      totalChunks: 0,
      request: body,
    };
    served.push(call);
    const found = await answer(request);
    if (found) return serve(call, request, found, res);
    call.outcome = "error";
    call.status = 400;
    const last = request.messages.at(-1);
    sendError(res, 400, `The script has no answer for turn ${request.turn} of ${last?.role}: ${last?.content.slice(0, 200)}`);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { port, baseUrl: `http://127.0.0.1:${port}/v1`, served: () => served, close, [Symbol.asyncDispose]: close };
}

async function serve(call: ServedCall, request: ScriptedRequest, answer: ScriptedAnswer, res: ServerResponse): Promise<void> {
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
    if (fault.body === undefined) return sendError(res, fault.status, fault.message ?? `Scripted error ${fault.status}.`);
    res.writeHead(fault.status, { "content-type": "text/html" }).end(fault.body);
    return;
  }
  if ((fault?.kind === "reset" || fault?.kind === "hang") && fault.afterChunks === undefined) {
    end(fault.kind);
    if (fault.kind === "reset") res.socket?.resetAndDestroy();
    return;
  }

  const calls = toolCallsOf(answer, call.n);
  const pieces = piecesOf(answer, calls);
  Object.assign(call, { status: 200, totalChunks: pieces.length, ...usageOf(answer, request, pieces) });
  const usage = answer.usage === "none" ? undefined : usageJson(call);
  const finish = answer.finishReason ?? (calls.length > 0 ? "tool_calls" : "stop");
  const head = { id: `chatcmpl-scripted-${call.n}`, created: 0, model: request.model, system_fingerprint: "scripted" };

  if (!call.stream) {
    const message = {
      role: "assistant",
      content: answer.text ?? null,
      ...(calls.length > 0 && {
        tool_calls: calls.map(({ id, ...fn }) => ({ id, type: "function", function: fn })),
      }),
    };
    sendJson(res, 200, {
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: finish }],
      ...(usage && { usage }),
    });
    Object.assign(call, { usageReported: usage !== undefined, sentTokens: tokensOf(pieces), sentChunks: pieces.length });
    return end("completed");
  }

  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  res.flushHeaders();
  const write = async (chunk: Record<string, unknown>): Promise<void> => {
    const line = `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...chunk })}\n\n`;
    if (!res.write(line))
      await Promise.race([new Promise((r) => res.once("drain", r)), new Promise((r) => gone.signal.addEventListener("abort", r))]);
  };
  const delta = (d: Record<string, unknown>, reason: string | null = null): Promise<void> =>
    write({ choices: [{ index: 0, delta: d, finish_reason: reason }] });
  const sent: Piece[] = [];
  const faultDue = (): typeof fault => (fault && "afterChunks" in fault && fault.afterChunks === sent.length ? fault : undefined);

  await delta({ role: "assistant", content: "" });
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
    await delta(piece.delta);
    sent.push(piece);
    call.sentChunks = sent.length;
  }
  call.sentTokens = tokensOf(sent);
  if (gone.signal.aborted) return end("cut");
  await delta({}, finish);
  const asked = (request.body.stream_options as { include_usage?: unknown } | undefined)?.include_usage === true;
  if (asked && usage) await write({ choices: [], usage });
  call.usageReported = asked && usage !== undefined;
  res.end("data: [DONE]\n\n");
  end(fault?.kind === "malformed" ? "malformed" : "completed");
}

async function readBody(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendError(res: ServerResponse, status: number, message: string): void {
  sendJson(res, status, { error: { message, type: "scripted_error", code: null, param: null } });
}
