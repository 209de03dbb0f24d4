import type { IncomingHttpHeaders } from "node:http";
import type { Protocol, Upstream } from "./contract.ts";
import type { KeyState } from "./keys.ts";

/** A request's path and query without the key, and whose it is. */
export interface Access {
  /** `undefined`: no key of ours was found. */
  key: KeyState | undefined;
  /** The key as it came, where `key` is there. */
  secret: string | undefined;
  path: string;
  query: URLSearchParams;
}

/** `/k/KEY/v1/...`: the one place that leaves an agent's own headers alone. */
const prefix = /^\/k\/([^/]+)(\/.*)$/;

/** Finds the key wherever the four formats have it: the path, `Authorization`, `x-api-key`, `x-goog-api-key`, `?key=`. */
export function accessOf(url: string, headers: IncomingHttpHeaders, find: (key: string) => KeyState | undefined): Access {
  const [whole, ...search] = url.split("?");
  const query = new URLSearchParams(search.join("?"));
  const [, inPath, rest] = prefix.exec(whole ?? "") ?? [];
  const path = rest ?? whole ?? "/";
  const places =
    inPath === undefined ? [bearerOf(headers.authorization), headers["x-api-key"], headers["x-goog-api-key"], query.get("key")] : [inPath];
  for (const secret of places) {
    const key = typeof secret === "string" ? find(secret) : undefined;
    if (typeof secret === "string" && key) return { key, secret, path, query };
  }
  return { key: undefined, secret: undefined, path, query };
}

const bearerOf = (header: string | undefined): string | undefined => /^Bearer (.+)$/i.exec(header ?? "")?.[1];

/** What concerns one connection only, and what is made anew for the upstream. */
const ownWay = new Set([
  "host", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
  "transfer-encoding", "upgrade", "content-length", "content-type", "content-encoding", "accept-encoding", "expect",
]); // prettier-ignore

/** The agent's own headers, to be forwarded and never kept: without those of the connection, and without our key. */
function ownHeaders(headers: IncomingHttpHeaders, ourKey: string): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = Array.isArray(value) ? value.join(", ") : value;
    if (text !== undefined && !ownWay.has(name) && !text.includes(ourKey)) own[name] = text;
  }
  return own;
}

/** The parts of headers that give a login away. */
function loginsIn(headers: Readonly<Record<string, string>>): string[] {
  const names = ["authorization", "x-api-key", "x-goog-api-key", "cookie"];
  return names.flatMap((name) => (headers[name] === undefined ? [] : [headers[name], headers[name].replace(/^\S+ /, "")]));
}

/** Beta features that make a call dearer than the price it was reserved at. */
const dearer = /^fast-mode/;

/** Headers for the upstream: its own key in the format's own place, or, in pass-through, the agent's own headers. */
export function accessHeaders(
  headers: IncomingHttpHeaders,
  { key, secret, upstream }: { key: KeyState; secret: string; upstream: Upstream },
  base: string,
  protocol: Protocol,
): { headers: Record<string, string>; logins: string[] } {
  if (key.spec.credentials === "pass-through") {
    const own = ownHeaders(headers, secret);
    return { headers: own, logins: loginsIn(own) };
  }
  const { apiKey } = upstream;
  const bearer = { authorization: `Bearer ${apiKey}` };
  const made: Record<string, string> = { accept: "application/json, text/event-stream", "user-agent": "stepfall" };
  switch (protocol) {
    case "chat":
    case "responses":
      if (apiKey !== undefined) Object.assign(made, bearer);
      break;
    case "messages": {
      // Others that speak this format want the key in either place; Anthropic takes two for a mistake.
      if (apiKey !== undefined) Object.assign(made, { "x-api-key": apiKey }, base.startsWith("https://api.anthropic.com/") ? {} : bearer);
      made["anthropic-version"] = String(headers["anthropic-version"] ?? "2023-06-01");
      const betas = String(headers["anthropic-beta"] ?? "")
        .split(",")
        .map((beta) => beta.trim());
      const kept = betas.filter((beta) => beta !== "" && !dearer.test(beta)).join(",");
      if (kept !== "") made["anthropic-beta"] = kept;
      break;
    }
    case "gemini":
      if (apiKey !== undefined) made["x-goog-api-key"] = apiKey;
      break;
    default:
      protocol satisfies never;
  }
  return { headers: { ...made, ...upstream.headers }, logins: [] };
}
