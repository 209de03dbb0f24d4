import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { admin, type AdminContext } from "./admin.ts";
import { apiError, awaitedKey, endingCode, sendError, sendJson, unknownKey } from "./answers.ts";
import { accessOf, type Access } from "./access.ts";
import type { Clock } from "../../domain/index.ts";
import { GatewayError } from "./errors.ts";
import { modelCall } from "./model-call.ts";
import type { ModelCallContext } from "./one-try.ts";
import type { ApiError } from "./wire/wire.ts";
import { targetOf, wires } from "./wire/wires.ts";

export type ServerContext = AdminContext &
  ModelCallContext & {
    port: number;
    clock: Clock;
    /** How long a call is held whose key is awaited. */
    awaitedMs: number;
    log(line: string): void;
    /** Its record is gone; what is in flight is being settled. */
    isEnding(): boolean;
  };

/** Serves connections that it is handed; it does not listen itself. */
export function createGatewayServer(ctx: ServerContext): Server {
  const server = createServer((req, res) => {
    route(req, res, ctx).catch((error: unknown) => {
      // Not the address as it came: a key may be in it.
      ctx.log(ctx.mask.text(`${req.method} ${accessOf(req.url ?? "/", req.headers, () => undefined).path}: ${String(error)}`));
      const message = error instanceof GatewayError ? error.message : "The gateway failed. Its log says more.";
      if (res.headersSent) res.destroy();
      else sendError(res, 503, apiError("gateway_error", ctx.mask.text(message), error instanceof GatewayError ? error.code : null));
    });
  });
  // Agents keep their connection while tools run; closing it just as they call again would cost them a retry.
  server.keepAliveTimeout = 120_000;
  return server;
}

/** The key a request came with; one that is awaited gets some time to be opened again. */
async function awaitAccess(req: IncomingMessage, ctx: ServerContext): Promise<Access & { isAwaited: boolean }> {
  let awaited: string | undefined;
  const find = (key: string): ReturnType<ServerContext["keys"]["find"]> => {
    const found = ctx.keys.find(key);
    if (!found && ctx.awaited.has(key, ctx.clock.now())) awaited ??= key;
    return found;
  };
  const url = req.url ?? "/";
  const access = accessOf(url, req.headers, find);
  if (awaited === undefined || access.key) return { ...access, isAwaited: false };
  await ctx.awaited.settled(awaited, ctx.awaitedMs);
  const isAwaited = ctx.awaited.has(awaited, ctx.clock.now());
  return { ...accessOf(url, req.headers, (key) => ctx.keys.find(key)), isAwaited };
}

async function route(req: IncomingMessage, res: ServerResponse, ctx: ServerContext): Promise<void> {
  // A page in a browser reaches loopback through a name of its own (DNS rebinding); its Host tells.
  const { host } = req.headers;
  if (host !== `127.0.0.1:${ctx.port}` && host !== `localhost:${ctx.port}`)
    return sendError(res, 421, apiError("invalid_request_error", "This host name is not the gateway's."));
  if (ctx.isEnding()) return sendError(res, 503, apiError("gateway_error", "The gateway is ending.", endingCode), { connection: "close" });
  const access = await awaitAccess(req, ctx);
  const { path, key, secret } = access;
  if (path.startsWith("/admin/")) return admin(req, res, path, ctx);

  const target = req.method === "POST" ? targetOf(path) : undefined;
  const refuse = (status: number, error: ApiError): void =>
    sendJson(res, status, (target?.wire ?? wires.chat).error(status, error), { "x-should-retry": "false" });
  if (access.isAwaited) return sendJson(res, 503, (target?.wire ?? wires.chat).error(503, awaitedKey), { "retry-after": "5" });
  if (!key || secret === undefined) return refuse(401, unknownKey);
  if (target) return modelCall(req, res, target, { ...access, key, secret }, ctx);
  if (path === "/mcp" && key.spec.mcp) {
    const { serveMcp } = await import("./attempt-mcp/endpoint.ts");
    return serveMcp(req, res, key, ctx.requests);
  }
  const { model, provider } = key.upstream;
  switch (`${req.method} ${path}`) {
    // OpenAI's shape and Anthropic's in one.
    case "GET /v1/models":
      return sendJson(res, 200, {
        object: "list",
        data: [{ id: model, object: "model", created: 0, owned_by: provider, type: "model", display_name: model }],
        has_more: false,
      });
    case "GET /v1beta/models":
      return sendJson(res, 200, { models: [{ name: `models/${model}`, displayName: model }] });
    default:
      return refuse(404, apiError("invalid_request_error", `${req.method} ${path} is not supported yet by the gateway.`, "not_supported"));
  }
}
