import type { IncomingMessage, ServerResponse } from "node:http";
import { API_PATH } from "./paths.ts";
import type { Caller } from "./callers.ts";
import { plainPage, serveDashboard } from "./dashboard-files.ts";
import type { Limits, LimitsByCaller } from "./limits.ts";
import type { Login } from "./login.ts";
import { changesState, whyNotJson, whyNotThisHost, whyNotThisOrigin } from "./origin.ts";
import { MOST_BYTES, problem, PROBLEM_TYPE, problemOf, tooLarge, type ProblemDetails } from "./problem.ts";
import { refusedFor } from "./request-log.ts";
import { setSecurityHeaders } from "./security-headers.ts";
import { beginningOf } from "./stream.ts";

/** Something else that is reached at a path and below it, by programs with a token. Host, origin and token were checked. */
export interface NodeRoute {
  /** `/mcp`. */
  path: string;
  handle(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void>;
}

export interface FrontDoorParts {
  port: () => number;
  login: Login;
  limits: LimitsByCaller;
  routes: readonly NodeRoute[];
  dashboard: string;
  loggedOut(caller: Caller): void;
  api(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void>;
  stream(response: ServerResponse, after: number | undefined): Promise<void>;
  onError(error: unknown): void;
}

const STREAM_PATH = `${API_PATH}/stream`;
const LOGOUT_PATH = `${API_PATH}/logout`;

/**
 * What every request passes, in this order: is it meant for this server, does it come from here, who sends it, is there room for more of theirs, may they
 * change things so fast. Only then does anything look at what it says.
 */
export function openFrontDoor(parts: FrontDoorParts): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    setSecurityHeaders(response);
    const refusal = whyNotThisHost(request.headers, parts.port()) ?? whyNotThisUrl(request.url);
    if (refusal) return refuse(response, refusal);
    const path = (request.url ?? "/").split(/[?#]/, 1)[0] ?? "/";
    try {
      await enter(parts, request, response, path);
    } catch (error) {
      const details = problemOf(error);
      if (details.code === "INTERNAL") parts.onError(error);
      refuse(response, details);
    }
  };
}

async function enter(parts: FrontDoorParts, request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const { headers, method } = request;
  const route = parts.routes.find((r) => path === r.path || path.startsWith(`${r.path}/`));
  const isApi = path === API_PATH || path.startsWith(`${API_PATH}/`);
  if (!route && !isApi) {
    if (changesState(method)) {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, problem(405, "METHOD_NOT_ALLOWED", "Pages are only read.", `The API is at ${API_PATH}.`));
    }
    if (!hasRoom(parts.limits.of("nobody"), "requests", response)) return undefined;
    return path === "/login" ? logIn(parts.login, request, response) : serveDashboard(parts.dashboard, request, response, path);
  }
  const elsewhere = whyNotThisOrigin(headers, { method, port: parts.port(), isCookie: headers.authorization === undefined });
  if (elsewhere) return refuse(response, elsewhere);
  const caller = parts.login.callerOf(headers);
  if (caller === "nobody" || caller === "refused") return refuse(response, notLoggedIn(caller));
  if (route) {
    if (caller.by !== "token")
      return refuse(
        response,
        problem(401, "TOKEN_NEEDED", `${route.path} is for programs with a token.`, "It lies in Stepfall's folder, in server/ROLE.token."),
      );
    // What goes on there for long does not take the room of the dashboard.
    if (!hasRoom(parts.limits.of(`${caller.role} ${route.path}`), "requests", response)) return undefined;
    return route.handle(request, response, caller);
  }
  const limits = parts.limits.of(caller.role);
  if (!hasRoom(limits, path === STREAM_PATH ? "streams" : "requests", response)) return undefined;
  if (changesState(method) && !limits.mayChange())
    return refuse(response, problem(429, "TOO_MANY_CHANGES", "Changes are asked for too fast.", "Try again in a second."));
  if (path === STREAM_PATH && method === "GET") {
    const after = beginningOf(request);
    return typeof after === "object" ? refuse(response, after) : parts.stream(response, after);
  }
  const notJson = whyNotJson(headers, method) ?? whyTooLarge(headers["content-length"]);
  if (notJson) return refuse(response, notJson);
  if (path === LOGOUT_PATH && method === "POST") {
    if (caller.by === "cookie") parts.loggedOut(caller);
    response.writeHead(204, { "set-cookie": parts.login.logout() }).end();
    return undefined;
  }
  response.setHeader("cache-control", "no-store");
  return parts.api(request, response, caller);
}

/** Takes the room of one more until its answer is over; refuses it where there is none. */
function hasRoom(limits: Limits, kind: "requests" | "streams", response: ServerResponse): boolean {
  const leave = limits.enter(kind);
  if (leave) response.once("close", leave);
  else refuse(response, problem(503, "BUSY", "There is too much under way.", "Try again in a moment."));
  return leave !== undefined;
}

function notLoggedIn(how: "nobody" | "refused"): ProblemDetails {
  const hint =
    "`stepfall up` prints a link for a browser. Programs send `Authorization: Bearer` with a token of Stepfall's folder, server/ROLE.token.";
  return how === "nobody"
    ? problem(401, "NOT_LOGGED_IN", "Nobody is logged in here.", hint)
    : problem(401, "NOT_LOGGED_IN", "This login or token is not, or no more, good here.", hint);
}

/** A request for a proxy, or one whose path another reader would take for a host. */
function whyNotThisUrl(url: string | undefined): ProblemDetails | undefined {
  if (url?.startsWith("/") && !url.startsWith("//") && URL.canParse(url, "http://127.0.0.1")) return undefined;
  return problem(400, "BAD_REQUEST", "This is no path of this server.", `The API is at ${API_PATH}.`);
}

function whyTooLarge(length: string | undefined): ProblemDetails | undefined {
  return length !== undefined && Number(length) > MOST_BYTES ? tooLarge() : undefined;
}

function refuse(response: ServerResponse, details: ProblemDetails): void {
  refusedFor(response, details.code);
  if (response.headersSent) return void response.destroy();
  response.writeHead(details.status, {
    "content-type": PROBLEM_TYPE,
    "cache-control": "no-store",
    // What it still sends is not read.
    connection: "close",
    ...(details.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(details.status === 429 || details.status === 503 ? { "retry-after": "1" } : {}),
  });
  response.end(JSON.stringify(details));
}

/** A link works once: whoever opens it first has it. */
function logIn(login: Login, { url, method, headers }: IncomingMessage, response: ServerResponse): void {
  const query = new URL(url ?? "", "http://127.0.0.1").searchParams;
  const html = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
  // A browser that only looks ahead, or a program that only asks whether it is there, must not use it up.
  const looksAhead = method === "HEAD" || String(headers["sec-purpose"] ?? headers["purpose"] ?? "").includes("prefetch");
  if (looksAhead) return void response.writeHead(204, html).end();
  const to = query.get("to") ?? "/";
  const location = /^\/(?![/\\])[\w\-./~%#?=&:!]*$/.test(to) ? to : "/";
  const cookie = login.useLink(query.get("token") ?? "");
  if (cookie === undefined) {
    // Whoever is logged in has no need of it.
    if (typeof login.callerOf({ cookie: headers.cookie }) === "object")
      return void response.writeHead(303, { location, "cache-control": "no-store" }).end();
    refusedFor(response, "LINK_USED");
    const text =
      "<p>It works once, and for ten minutes. <code>stepfall up</code> prints a new one, also while the server runs.</p>" +
      '<p>A browser that is logged in needs none: <a href="/">the dashboard</a>.</p>';
    return void response.writeHead(403, html).end(plainPage("This link was used, or is too old", text));
  }
  response.writeHead(303, { "set-cookie": cookie, location, "cache-control": "no-store" }).end();
}
