import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { countTokens } from "../tokens.ts";
import { chat } from "./chat.ts";
import type { Dialect } from "./dialect.ts";
import { gemini } from "./gemini.ts";
import { messages } from "./messages.ts";
import { responses } from "./responses.ts";
import { fromScript, type Script, type ScriptFunction } from "./script.ts";
import { sendJson, serve, type ServedCall } from "./serve.ts";

export interface ScriptedModelOptions {
  script: Script | ScriptFunction;
  /** Default 0: any free port. */
  port?: number;
  /** Any other key is a 401, wherever the wire format has it. */
  apiKey?: string;
}

export interface ScriptedModel extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT`: Anthropic's and Gemini's clients start from here. */
  readonly origin: string;
  /** Base of the OpenAI API, and of Anthropic's, ending in `/v1`. */
  readonly baseUrl: string;
  served(): readonly ServedCall[];
  close(): Promise<void>;
}

/**
 * A scripted stand-in for a provider, on loopback, in four wire formats. Everything it says is labelled: model owner, fingerprint, ids and a
 * header tell that no model was asked.
 */
export async function startScriptedModel(options: ScriptedModelOptions): Promise<ScriptedModel> {
  const answer = typeof options.script === "function" ? options.script : fromScript(options.script);
  const models = typeof options.script === "function" ? ["scripted"] : (options.script.models ?? ["scripted"]);
  const served: ServedCall[] = [];
  const server = createServer((req, res) => {
    route(req, res).catch((error: unknown) => {
      if (!res.headersSent) sendJson(res, 500, chat.error(500, `The script failed: ${String(error)}`));
      else res.destroy();
    });
  });

  async function route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader("x-stepfall-scripted", "true");
    const url = new URL(req.url ?? "/", "http://scripted");
    const { pathname: path } = url;
    if (req.method === "GET" && path === "/scripted/served") return sendJson(res, 200, served);
    const target = targetOf(path);
    const dialect = target?.dialect ?? chat;
    if (options.apiKey !== undefined && !keysOf(req, url).includes(options.apiKey))
      return sendJson(res, 401, dialect.error(401, `Incorrect API key provided: ${keysOf(req, url).join() || "none"}`));
    if (req.method === "GET" && path === "/v1/models")
      return sendJson(res, 200, { object: "list", data: models.map((id) => ({ id, object: "model", created: 0, owned_by: "scripted" })) });
    if (req.method !== "POST" || !target)
      return sendJson(res, 404, dialect.error(404, `The scripted model does not serve ${req.method} ${path}.`));

    const body = JSON.parse(await readBody(req)) as Record<string, unknown>;
    const headers = Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, String(value)]));
    const request = { ...dialect.read(body, target.model), dialect: dialect.name, body, headers };
    if (target.act === "count") {
      const tokens = countTokens(JSON.stringify(request.prompt));
      return sendJson(res, 200, dialect === gemini ? { totalTokens: tokens } : { input_tokens: tokens });
    }
    const call: ServedCall = {
      n: served.length + 1,
      dialect: dialect.name,
      model: request.model,
      stream: target.act === "stream" || dialect.isStream(body),
      status: 0,
      outcome: "open",
      usageReported: false,
      inputReported: false,
      promptTokens: 0,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 0,
      sentTokens: 0,
      sentChunks: 0,
      totalChunks: 0,
      request: body,
    };
    served.push(call);
    const found = await answer(request);
    if (found) return serve(call, dialect, request, found, res);
    call.outcome = "error";
    call.status = 400;
    const last = request.messages.at(-1);
    const message = `The script has no answer for turn ${request.turn} of ${last?.role}: ${last?.content.slice(0, 200)}`;
    sendJson(res, 400, dialect.error(400, message));
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { port, origin, baseUrl: `${origin}/v1`, served: () => served, close, [Symbol.asyncDispose]: close };
}

interface Target {
  dialect: Dialect;
  act: "answer" | "stream" | "count";
  /** Where the path names it. */
  model: string;
}

function targetOf(path: string): Target | undefined {
  const of = (dialect: Dialect, act: Target["act"] = "answer", model = ""): Target => ({ dialect, act, model });
  switch (path) {
    case "/v1/chat/completions":
      return of(chat);
    case "/v1/responses":
      return of(responses);
    case "/v1/messages":
      return of(messages);
    case "/v1/messages/count_tokens":
      return of(messages, "count");
    default: {
      const [, model = "", method] = /^\/v1(?:beta)?\/models\/([^/:]+):(\w+)$/.exec(path) ?? [];
      if (method === "generateContent") return of(gemini, "answer", model);
      if (method === "streamGenerateContent") return of(gemini, "stream", model);
      return method === "countTokens" ? of(gemini, "count", model) : undefined;
    }
  }
}

/** The keys a request brings, in all the places where clients put them. */
const keysOf = (req: IncomingMessage, url: URL): string[] =>
  [
    /^Bearer (.*)$/.exec(req.headers.authorization ?? "")?.[1],
    req.headers["x-api-key"],
    req.headers["x-goog-api-key"],
    url.searchParams.get("key") ?? undefined,
  ].filter((key) => typeof key === "string");

async function readBody(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
