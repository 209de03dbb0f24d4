import { readFile, realpath } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";
import { getMimeType } from "hono/utils/mime";

/** A page of a few words, where the dashboard has none. */
export const plainPage = (title: string, text: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><main style="font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem"><h1>${title}</h1>${text}</main></html>`;

const NOT_BUILT = plainPage(
  "Stepfall",
  "<p>The server runs, and the dashboard was not built.</p><p>In a clone: <code>npm run build</code>, then load this page again. The API is at <code>/api/v1</code>.</p>",
);

interface FoundFile {
  status: 200 | 404;
  type: string;
  body: Uint8Array | string;
  cache: string;
}

/**
 * The file that a path of the dashboard means; a path without an extension that is no file is a page of it. `folder`: where it was built to; nothing
 * outside of it is ever read, wherever links lead.
 */
async function dashboardFile(folder: string, path: string): Promise<FoundFile> {
  const missing: FoundFile = { status: 404, type: "text/plain; charset=utf-8", body: "There is no such file.\n", cache: "no-store" };
  const top = await realpath(folder).catch(() => undefined);
  if (top === undefined) return { status: 200, type: "text/html; charset=utf-8", body: NOT_BUILT, cache: "no-store" };
  const name = decoded(path);
  if (name === undefined || name.includes("\0") || name.includes("\\")) return missing;
  const found = (await fileIn(top, name)) ?? (extname(name) === "" ? await fileIn(top, "/index.html") : undefined);
  if (!found) return missing;
  const type = getMimeType(found.file) ?? "application/octet-stream";
  // What the build names by its content never changes.
  const cache = /[/\\]assets[/\\]/.test(found.file) ? "public, max-age=31536000, immutable" : "no-cache";
  return {
    status: 200,
    type: type.startsWith("text/") && !type.includes("charset") ? `${type}; charset=utf-8` : type,
    body: found.bytes,
    cache,
  };
}

async function fileIn(top: string, name: string): Promise<{ file: string; bytes: Uint8Array } | undefined> {
  const wanted = join(top, name);
  if (!wanted.startsWith(top + sep)) return undefined;
  try {
    const file = await realpath(wanted);
    return file.startsWith(top + sep) ? { file, bytes: await readFile(file) } : undefined;
  } catch {
    return undefined;
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

export async function serveDashboard(folder: string, { method }: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const { status, type, body, cache } = await dashboardFile(folder, path);
  response.writeHead(status, { "content-type": type, "cache-control": cache, "content-length": Buffer.byteLength(body) });
  response.end(method === "HEAD" ? undefined : body);
}
