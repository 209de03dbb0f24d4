import type { IncomingHttpHeaders } from "node:http";
import { problem, type ProblemDetails } from "./problem.ts";

/** What a server on this port is called by whoever stands on this machine. */
const namesOf = (port: number): string[] => [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];

/**
 * A page of any site may have a name of its own point at 127.0.0.1 (DNS rebinding): its requests then carry that name. Checked before everything.
 */
export function whyNotThisHost({ host }: IncomingHttpHeaders, port: number): ProblemDetails | undefined {
  if (host !== undefined && namesOf(port).includes(host.toLowerCase())) return undefined;
  return problem(
    421,
    "WRONG_HOST",
    "This server answers to 127.0.0.1 and localhost only.",
    "Open the address that `stepfall up` has printed.",
  );
}

const SAFE = new Set(["GET", "HEAD"]);
export const changesState = (method: string | undefined): boolean => !SAFE.has(method ?? "");

/**
 * What another page may have a browser send in its user's name is refused: by the origin, and by what the browser says of where it comes from. Other
 * ports of this machine are other origins, and send the cookie along. `isCookie`: the caller is known by a cookie.
 */
export function whyNotThisOrigin(
  headers: IncomingHttpHeaders,
  { method, port, isCookie }: { method: string | undefined; port: number; isCookie: boolean },
): ProblemDetails | undefined {
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const refused = (what: string): ProblemDetails =>
    problem(403, "CROSS_ORIGIN", `${what} may not use this server.`, "Use the dashboard, or a program with a token.");
  if (site !== undefined && site !== "same-origin" && site !== "none") return refused("Pages of other origins");
  if (!changesState(method)) return undefined;
  if (origin !== undefined && !namesOf(port).some((name) => origin === `http://${name}`))
    return refused(`Pages of ${origin.slice(0, 100)}`);
  if (isCookie && origin === undefined && site !== "same-origin") return refused("What does not say where it comes from");
  return undefined;
}

/** A form of another page can send anything but JSON without being asked for leave. */
export function whyNotJson(headers: IncomingHttpHeaders, method: string | undefined): ProblemDetails | undefined {
  if (!changesState(method)) return undefined;
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() === "application/json") return undefined;
  return problem(
    415,
    "NOT_JSON",
    "What is sent must be application/json.",
    "Send `content-type: application/json`, and {} where there is nothing to say.",
  );
}
