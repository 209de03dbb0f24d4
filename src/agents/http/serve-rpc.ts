import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { A2A_VERSION_HEADER, AGENT_CARD_PATH, SSE_HEADERS, formatSSEErrorEvent, formatSSEEvent, type AgentCard } from "@a2a-js/sdk";
import { JsonRpcTransportHandler, ServerCallContext, UnauthenticatedUser, validateVersion } from "@a2a-js/sdk/server";

export interface RpcDeps {
  card: AgentCard;
  rpc: JsonRpcTransportHandler;
  token: string;
  port: number;
  mostBytes: number;
}

class TooLong extends Error {}

/** One request: the card to anybody on this machine, JSON-RPC to who has the token. A web page is neither, wherever it thinks it is. */
export async function answerRequest(deps: RpcDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refuse = (status: number, message: string, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers });
    response.end(JSON.stringify({ error: { message } }));
  };
  response.on("error", () => {}); // the caller went away
  try {
    // A name that was made to lead here (DNS rebinding) comes with its own Host.
    if (![`127.0.0.1:${deps.port}`, `localhost:${deps.port}`].includes(request.headers.host ?? "")) return refuse(421, "unknown host");
    if (request.headers.origin !== undefined) return refuse(403, "not for web pages");
    const path = (request.url ?? "/").split("?", 1)[0];
    if (request.method === "GET" && path === `/${AGENT_CARD_PATH}`) {
      response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify(deps.card));
      return;
    }
    if (request.method !== "POST" || path !== "/") return refuse(404, "not found");
    if (!isAllowed(request.headers.authorization, deps.token)) return refuse(401, "a token is needed", { "www-authenticate": "Bearer" });
    if ((request.headers["content-type"] ?? "").split(";", 1)[0]?.trim() !== "application/json")
      return refuse(415, "send application/json");
    await call(deps, await bodyOf(request, deps.mostBytes), request, response);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else if (error instanceof TooLong) refuse(413, error.message);
    else refuse(500, "the request could not be handled");
  }
}

async function call(deps: RpcDeps, raw: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const json = (value: unknown): void => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(raw);
  } catch {
    return json({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "the body is no JSON" } });
  }
  const failure = (error: unknown): object => ({
    jsonrpc: "2.0",
    id: body?.["id"] ?? null,
    error: JsonRpcTransportHandler.mapToJSONRPCError(error),
  });
  let answer;
  try {
    const version = request.headers[A2A_VERSION_HEADER.toLowerCase()];
    const requestedVersion = typeof version === "string" ? version : undefined;
    const context = new ServerCallContext({
      user: new UnauthenticatedUser(),
      ...(requestedVersion === undefined ? {} : { requestedVersion }),
    });
    validateVersion(context.requestedVersion, deps.card, "JSONRPC");
    answer = await deps.rpc.handle(body, context);
  } catch (error) {
    return json(failure(error));
  }
  if (!(Symbol.asyncIterator in answer)) return json(answer);
  let isFirst = true;
  try {
    for await (const event of answer) {
      if (isFirst) response.writeHead(200, SSE_HEADERS);
      isFirst = false;
      response.write(formatSSEEvent(event));
    }
    response.end();
  } catch (error) {
    if (isFirst) return json(failure(error));
    response.end(formatSSEErrorEvent(failure(error)));
  }
}

function isAllowed(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function bodyOf(request: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > most) throw new TooLong(`at most ${most} bytes are taken`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
