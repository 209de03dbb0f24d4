import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Control } from "../control/index.ts";
import type { Clock } from "../domain/index.ts";
import { noLog, type Log } from "../logs/index.ts";
import { openApi } from "./api.ts";
import { may, type Caller, type Role } from "./callers.ts";
import { ServerError } from "./errors.ts";
import { openFrontDoor, type NodeRoute } from "./front-door.ts";
import { defaultLimits, openLimitsByCaller, type LimitTuning } from "./limits.ts";
import { openLiveHub } from "./live-hub.ts";
import { openLogin } from "./login.ts";
import { logRequest } from "./request-log.ts";
import { defaultStreamTuning, serveStream, type StreamTuning } from "./stream.ts";

export interface ServerTuning extends StreamTuning {
  limits: LimitTuning;
  /** For the headers of a request, for all of it, and for a client to take an answer. */
  headersMs: number;
  requestMs: number;
  answerMs: number;
}

export interface ServerOptions {
  control: Control;
  clock: Clock;
  /** Tokens and keys lie in it. */
  home: string;
  /** Of Stepfall. */
  version: string;
  /** How a person calls Stepfall here, for commands that pages show to be copied: `npx stepfall`, with `--home` where it was given. */
  program?: string;
  /** Who owns the home: what they do in a browser is recorded as done by `web:USER`. */
  user: string;
  /** Default: any free one. */
  port?: number;
  /** Folder of the built dashboard. */
  dashboard: string;
  /** Further things that programs with a token may reach, such as /mcp. */
  routes?: readonly NodeRoute[];
  /** Bugs, for a log: clients are told no more than that there was one. */
  onError?: (error: unknown) => void;
  /** Logins, refusals and failures. Absent: nothing is said. */
  log?: Log;
  tuning?: Partial<ServerTuning>;
}

export interface RunningServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** A link that logs a browser in, once, for ten minutes. `to`: a path of the dashboard. */
  loginLink(role: Role, to?: string): string;
  /** Ends what is under way, streams first. */
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;
/** Connections at once, streams among them: for what all kinds of callers may have under way, see limits.ts. */
const MOST_CONNECTIONS = 512;

/** Serves the API, the stream and the dashboard on 127.0.0.1. Rejects with PORT_TAKEN. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { control, clock, home, version, program = "stepfall", user, dashboard, routes = [], onError = () => {} } = options;
  const tuning: ServerTuning = {
    ...defaultStreamTuning,
    limits: defaultLimits,
    headersMs: 10_000,
    requestMs: 30_000,
    answerMs: 60_000,
    ...options.tuning,
  };
  const log = (options.log ?? noLog).child({ room: "server" });
  const stop = new AbortController();
  let port = 0;
  const used = (role: Role): void => log.info("login", `a browser has logged in, as ${role}`, { data: { role, actor: `web:${user}` } });
  const login = openLogin({ home, port: () => port, user, clock, used });
  const link = (actor: string, role: Role, to: string | undefined): { url: string; role: Role; expiresAt: number } => {
    const { secret, expiresAt } = login.newLink(role);
    log.info("login-link", `a link was made that logs a browser in, once, as ${role}`, { data: { role, actor } });
    const query = new URLSearchParams({ token: secret, ...(to === undefined ? {} : { to }) });
    return { url: `http://127.0.0.1:${port}/login?${query.toString()}`, role, expiresAt };
  };
  const loginLink = (caller: Caller, role: Role = caller.role, to?: string) => {
    if (may(caller, role)) return link(caller.actor, role, to);
    throw new ServerError("ROLE_TOO_LOW", `a ${caller.role} can make no link for an ${role}`, "Ask for your own role, or a lower one.");
  };
  const api = openApi({ control, version, program, clock, loginLink }, onError);
  const callers = new WeakMap<object, Caller>();
  const answerApi = getRequestListener(
    (request, env) => api.fetch(request, { ...env, caller: callers.get((env as { incoming: object }).incoming) as Caller }),
    { overrideGlobalObjects: false, hostname: "127.0.0.1" },
  );
  const hub = openLiveHub(control, (error) => log.warn("live-unseen", "how attempts are cannot be seen now; it is tried again", { error }));
  const frontDoor = openFrontDoor({
    login,
    routes,
    dashboard,
    onError,
    port: () => port,
    limits: openLimitsByCaller(clock, tuning.limits),
    loggedOut: ({ role, actor }) => log.info("logout", `a browser has logged out that was ${role}`, { data: { role, actor } }),
    api: async (request, response, caller) => {
      callers.set(request, caller);
      await answerApi(request, response);
    },
    stream: (response, after) => serveStream({ control, hub, version, tuning }, response, { after, stop: stop.signal }),
  });

  const server = createServer(
    {
      headersTimeout: tuning.headersMs,
      requestTimeout: tuning.requestMs,
      connectionsCheckingInterval: Math.min(2_000, tuning.headersMs),
      keepAliveTimeout: 5_000,
    },
    (request, response) => {
      limitAnswer(response, tuning.answerMs);
      logRequest(log, request, response, () => callers.get(request));
      void frontDoor(request, response);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.maxHeadersCount = 100;
  port = await listen(server, options.port ?? 0);
  // A connection that cannot be accepted (no file handle is left) is lost; the others go on.
  server.on("error", (error) => log.error("connection-lost", "a connection could not be accepted", { error }));

  const close = async (): Promise<void> => {
    stop.abort();
    const closed = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    loginLink: (role, to) => link(`web:${user}`, role, to).url,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new ServerError(
      taken ? "PORT_TAKEN" : "SERVER_FAILED",
      taken ? `port ${port} is taken by another program` : `the server cannot listen on port ${port}: ${(error as Error).message}`,
      "Give another one with --port, or leave it out.",
      error,
    );
  }
  return (server.address() as AddressInfo).port;
}

/** Once an answer has begun, its client has so long to take it. A stream looks after itself. */
function limitAnswer(response: ServerResponse, answerMs: number): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    const result = writeHead(...args);
    if (String(response.getHeader("content-type") ?? "").startsWith("text/event-stream")) return result;
    const timer = setTimeout(() => response.destroy(), answerMs);
    response.once("close", () => clearTimeout(timer));
    return result;
  };
}
