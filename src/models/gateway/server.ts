import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { admin, type AdminContext } from "./admin.ts";
import { apiError, endingCode, sendError, sendJson, unknownKey } from "./answers.ts";
import { chatCompletions, type CompletionsContext } from "./completions.ts";
import { GatewayError } from "./errors.ts";

export interface ServerContext extends AdminContext, CompletionsContext {
  log(line: string): void;
  /** Its record is gone; what is in flight is being settled. */
  isEnding(): boolean;
}

/** Listens on loopback, on any free port. `ctx` is used from the first request on. */
export async function listen(ctx: ServerContext): Promise<{ server: Server; port: number }> {
  let port = 0;
  const server = createServer((req, res) => {
    route(req, res, port, ctx).catch((error: unknown) => {
      ctx.log(ctx.mask.text(`${req.method} ${req.url}: ${String(error)}`));
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
  const path = (req.url ?? "/").split("?")[0] ?? "/";
  if (path.startsWith("/admin/")) return admin(req, res, path, ctx);

  const bearer = /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1];
  const key = bearer === undefined ? undefined : ctx.keys.find(bearer);
  if (!key) return sendError(res, 401, unknownKey);
  switch (`${req.method} ${path}`) {
    case "POST /v1/chat/completions":
      return chatCompletions(req, res, key, ctx);
    case "GET /v1/models":
      return sendJson(res, 200, {
        object: "list",
        data: [{ id: key.upstream.model, object: "model", created: 0, owned_by: key.upstream.provider }],
      });
    default:
      return sendError(
        res,
        404,
        apiError("invalid_request_error", `${req.method} ${path} is not supported yet by the gateway.`, "not_supported"),
      );
  }
}
