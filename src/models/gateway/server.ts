import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { admin, type AdminContext } from "./admin.ts";
import { apiError, endingCode, sendError, sendJson, unknownKey } from "./answers.ts";
import { accessOf } from "./access.ts";
import { GatewayError } from "./errors.ts";
import { modelCall, type ModelCallContext } from "./model-call.ts";
import type { ApiError } from "./wire/wire.ts";
import { targetOf, wires } from "./wire/wires.ts";

export interface ServerContext extends AdminContext, ModelCallContext {
  log(line: string): void;
  /** Its record is gone; what is in flight is being settled. */
  isEnding(): boolean;
}

/** Listens on loopback, on any free port. `ctx` is used from the first request on. */
export async function listen(ctx: ServerContext): Promise<{ server: Server; port: number }> {
  let port = 0;
  const server = createServer((req, res) => {
    route(req, res, port, ctx).catch((error: unknown) => {
      // Not the address as it came: a key may be in it.
      ctx.log(ctx.mask.text(`${req.method} ${accessOf(req.url ?? "/", req.headers, () => undefined).path}: ${String(error)}`));
      const message = error instanceof GatewayError ? error.message : "The gateway failed. Its log says more.";
      if (res.headersSent) res.destroy();
      else sendError(res, 503, apiError("gateway_error", ctx.mask.text(message), error instanceof GatewayError ? error.code : null));
    });
  });
  // Agents keep their connection while tools run; closing it just as they call again would cost them a retry.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  port = (server.address() as AddressInfo).port;
  return { server, port };
}

async function route(req: IncomingMessage, res: ServerResponse, port: number, ctx: ServerContext): Promise<void> {
  // A page in a browser reaches loopback through a name of its own (DNS rebinding); its Host tells.
  const { host } = req.headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    return sendError(res, 421, apiError("invalid_request_error", "This host name is not the gateway's."));
  if (ctx.isEnding()) return sendError(res, 503, apiError("gateway_error", "The gateway is ending.", endingCode), { connection: "close" });
  const access = accessOf(req.url ?? "/", req.headers, (key) => ctx.keys.find(key));
  const { path, key, secret } = access;
  if (path.startsWith("/admin/")) return admin(req, res, path, ctx);

  const target = req.method === "POST" ? targetOf(path) : undefined;
  const refuse = (status: number, error: ApiError): void =>
    sendJson(res, status, (target?.wire ?? wires.chat).error(status, error), { "x-should-retry": "false" });
  if (!key || secret === undefined) return refuse(401, unknownKey);
  if (target) return modelCall(req, res, target, { ...access, key, secret }, ctx);
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
