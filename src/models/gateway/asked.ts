import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { readBody } from "./answers.ts";
import { isObject, type Json } from "./wire/wire.ts";

export type Asked = { kind: "asked"; body: Json } | { kind: "too-large" } | { kind: "gone" } | { kind: "no-json" };

const decoders: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** Reads what an agent asks, up to `limit` bytes; some send it compressed. */
export async function readAsked(req: IncomingMessage, limit: number): Promise<Asked> {
  const read = await readBody(req, limit);
  if (!read.ok) return read.because === "gone" ? { kind: "gone" } : { kind: "too-large" };
  const encoding = req.headers["content-encoding"] ?? "identity";
  const decode = decoders[encoding];
  if (!decode && encoding !== "identity") return { kind: "no-json" };
  try {
    const bytes = decode ? await decode(read.bytes, { maxOutputLength: limit }) : read.bytes;
    const body: unknown = JSON.parse(bytes.toString("utf8"));
    return isObject(body) ? { kind: "asked", body } : { kind: "no-json" };
  } catch (problem) {
    return (problem as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? { kind: "too-large" } : { kind: "no-json" };
  }
}
