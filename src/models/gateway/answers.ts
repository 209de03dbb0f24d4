import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiError } from "./wire/wire.ts";

export const apiError = (type: string, message: string, code: string | null = null, param: string | null = null): ApiError => ({
  message,
  type,
  code,
  param,
});

/** Told to an engine that reached a gateway on its way out. */
export const endingCode = "gateway_ending";

export const unknownKey = apiError(
  "authentication_error",
  "This key is not known to the gateway: the attempt it belonged to has ended.",
  "invalid_api_key",
);

/** Worth asking again, unlike an unknown key. */
export const awaitedKey = apiError(
  "gateway_error",
  "The gateway was started again, and the engine of this attempt has not come back to it yet.",
  "key_awaited",
);

export function sendJson(res: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  if (res.headersSent || res.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { "content-type": "application/json", ...headers, "content-length": bytes.length }).end(bytes);
}

export function sendError(res: ServerResponse, status: number, error: ApiError, headers?: Readonly<Record<string, string>>): void {
  sendJson(res, status, { error }, headers);
}

export type ReadBody = { ok: true; bytes: Buffer } | { ok: false; because: "too-large" | "gone" };

/** Reads a request's body up to `limit` bytes. One that is too large is not read to its end. */
export async function readBody(req: IncomingMessage, limit: number): Promise<ReadBody> {
  if (Number(req.headers["content-length"] ?? 0) > limit) return { ok: false, because: "too-large" };
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of req.iterator({ destroyOnReturn: false })) {
      size += (part as Buffer).length;
      if (size > limit) return { ok: false, because: "too-large" };
      parts.push(part as Buffer);
    }
  } catch {
    return { ok: false, because: "gone" };
  }
  return { ok: true, bytes: Buffer.concat(parts) };
}
