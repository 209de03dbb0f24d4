import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createMcpHandler, McpServer, type ServerContext, type StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { runTools, runToolSchema, type RunTool } from "../../../domain/index.ts";
import { readBody, sendJson } from "../answers.ts";
import type { KeyState } from "../keys.ts";
import type { PendingRequests } from "./pending-requests.ts";

/**
 * The MCP endpoint of one attempt, streamable HTTP without sessions, for clients of both generations of the protocol. Loaded when the first agent comes: the
 * library takes some 12 MB.
 */

/** More is no request of these tools. */
const MOST_BYTES = 128 * 1024;
/** A sign of life on connections that wait: clients and what is between give up on silence. */
const ALIVE_MS = 15_000;

const instructions = "Tools of the run that you work in.";

/** What a client that decides by them is told: nothing here touches its files. */
const annotations: Readonly<
  Record<RunTool, { readOnlyHint: boolean; destructiveHint: false; idempotentHint?: true; openWorldHint: false }>
> = {
  ask: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
  report: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
  blackboard_get: { readOnlyHint: true, destructiveHint: false, openWorldHint: false },
  blackboard_put: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
};

/** Meta field by which a client gives a request an id of its own, so that it is recorded once however often it is sent. */
const REQUEST_META = "stepfall/request";

export async function serveMcp(req: IncomingMessage, res: ServerResponse, key: KeyState, requests: PendingRequests): Promise<void> {
  // Agents send no Origin; a page in a browser does.
  if (req.headers.origin !== undefined) return sendJson(res, 403, rpcError("Pages in browsers are not served."));
  const body = await readBody(req, MOST_BYTES);
  if (!body.ok) return sendJson(res, 413, rpcError("The request is too large."), { connection: "close" });
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const handler = createMcpHandler(() => serverFor(key, requests, gone.signal), { keepAliveMs: ALIVE_MS });
  const response = await handler.fetch(webRequest(req, body.bytes, gone.signal));
  await send(response, res);
}

function serverFor(key: KeyState, requests: PendingRequests, gone: AbortSignal): McpServer {
  const server = new McpServer({ name: "stepfall", version: "1" }, { instructions });
  for (const tool of Object.keys(runTools) as RunTool[]) {
    const { description } = runTools[tool];
    const inputSchema = schemas[tool];
    server.registerTool(tool, { description, inputSchema, annotations: annotations[tool] }, async (input: unknown, ctx: ServerContext) => {
      const own: unknown = ctx.mcpReq._meta?.[REQUEST_META];
      // Its own only among those of its key.
      const id = `${key.keyId.slice(0, 12)}.${typeof own === "string" && /^[\w-]{8,64}$/.test(own) ? own : randomUUID()}`;
      const stop = tellAlive(ctx);
      try {
        const { text, isError } = await requests.ask(key, { id, tool, input }, gone);
        return { content: [{ type: "text", text }], ...(isError ? { isError } : {}) };
      } finally {
        stop();
      }
    });
  }
  return server;
}

/** Checked by all its bounds, told without them. */
function schemaOf(tool: RunTool): StandardSchemaWithJSON {
  const { "~standard": standard }: StandardSchemaWithJSON = runTools[tool].input;
  const told = runToolSchema(tool);
  return { "~standard": { ...standard, jsonSchema: { input: () => told, output: () => told } } };
}

const schemas: Readonly<Record<RunTool, StandardSchemaWithJSON>> = {
  ask: schemaOf("ask"),
  report: schemaOf("report"),
  blackboard_get: schemaOf("blackboard_get"),
  blackboard_put: schemaOf("blackboard_put"),
};

/** Clients that ask for progress let a call go on as long as they hear of it. */
function tellAlive({ mcpReq }: ServerContext): () => void {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let progress = 0;
  const timer = setInterval(() => {
    progress += 1;
    mcpReq
      .notify({ method: "notifications/progress", params: { progressToken, progress, message: "no answer yet" } })
      .catch(() => undefined);
  }, ALIVE_MS);
  return () => clearInterval(timer);
}

/** Of the headers those that the protocol knows. */
function webRequest(req: IncomingMessage, bytes: Buffer, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers))
    if (typeof value === "string" && (name === "accept" || name === "content-type" || name.startsWith("mcp-"))) headers.set(name, value);
  const method = req.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : new Uint8Array(bytes);
  return new Request("http://127.0.0.1/mcp", { method, headers, body, signal });
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  if (res.destroyed) return void response.body?.cancel().catch(() => undefined);
  res.writeHead(response.status, Object.fromEntries(response.headers));
  // A client waits for these with a patience of its own.
  res.flushHeaders();
  try {
    for await (const chunk of response.body ?? []) if (!res.write(chunk)) await Promise.race([once(res, "drain"), once(res, "close")]);
  } catch {
    return void res.destroy();
  }
  res.end();
}

const rpcError = (message: string) => ({ jsonrpc: "2.0", id: null, error: { code: -32_600, message } });
