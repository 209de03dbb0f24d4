import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLauncher, openControl, type Control } from "../../src/control/index.ts";
import { launcher as program, type Scene } from "../../src/cli/cli.testkit.ts";
import type { Log } from "../../src/logs/index.ts";
import { startServer, tokenFile, type NodeRoute, type Role, type RunningServer, type ServerTuning } from "../../src/server/index.ts";

/** A real server in this process, on the home of a scene; runs that it starts are processes of the real program. */
export interface Serving extends AsyncDisposable {
  control: Control;
  server: RunningServer;
  token(role: Role): string;
  /** Asks as a program with the token of `as`; without it as nobody. */
  ask(path: string, asked?: Asked): Promise<Answer>;
}

export interface Asked {
  as?: Role;
  method?: string;
  /** Instead of, and beside, what is sent for `json`. */
  headers?: Record<string, string>;
  json?: unknown;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** What the text says as JSON; `undefined`: it is none. */
  json: Record<string, unknown> | undefined;
}

export async function serving(
  scene: Scene,
  more: {
    tuning?: Partial<ServerTuning>;
    routes?: NodeRoute[];
    onError?: (error: unknown) => void;
    clock?: { now(): number };
    log?: Log;
  } = {},
): Promise<Serving> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: scene.folder,
    LC_ALL: "C.UTF-8",
    OLLAMA_HOST: "http://127.0.0.1:9",
    ...scene.sandbox,
  };
  const clock = more.clock ?? { now: () => Date.now() };
  mkdirSync(scene.home, { recursive: true, mode: 0o700 });
  const surroundings = { env, cwd: scene.project, home: scene.home, clock };
  const control = await openControl({ surroundings, launcher: createLauncher({ env }, [process.execPath, program]) });
  const problems: unknown[] = [];
  const server = await startServer({
    control,
    clock,
    home: scene.home,
    version: "1.2.3",
    user: "tester",
    dashboard: join(scene.folder, "dashboard"),
    onError: (error) => problems.push(error),
    ...more,
  });
  const token = (role: Role): string => readFileSync(tokenFile(scene.home, role), "utf8").trim();
  return {
    control,
    server,
    token,
    ask: (path, { as, headers = {}, json, ...rest } = {}) =>
      ask(server.url, path, {
        ...rest,
        ...(json === undefined ? {} : { method: rest.method ?? "POST", body: JSON.stringify(json) }),
        headers: {
          ...(as ? { authorization: `Bearer ${token(as)}` } : {}),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await control[Symbol.asyncDispose]();
      // A bug of ours is never what a test is about.
      if (problems.length > 0) throw new AggregateError(problems, "the server met errors that it could not tell");
    },
  };
}

/** One request, with every header as given. */
export function ask(
  base: string,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

export interface StreamEvent {
  id?: number;
  event: string;
  data: Record<string, unknown>;
}

/** Reads a stream until `enough` says so, the server ends it, or the signal. Answers what came, comments as `comment`. */
export async function readStream(
  base: string,
  {
    headers,
    after,
    enough,
    signal,
  }: { headers: Record<string, string>; after?: number; enough: (events: StreamEvent[]) => boolean; signal?: AbortSignal },
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const stop = new AbortController();
  const response = await fetch(`${base}/api/v1/stream${after === undefined ? "" : `?after=${after}`}`, {
    headers,
    signal: AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]),
  });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${await response.text()}`);
  let rest = "";
  try {
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + piece).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) events.push(eventOf(block));
      if (enough(events)) break;
    }
  } catch (error) {
    // A server that was killed: what came before counts.
    if (events.length === 0 && signal?.aborted !== true) throw error;
  } finally {
    stop.abort();
  }
  return events;
}

function eventOf(block: string): StreamEvent {
  const field = (name: string): string | undefined =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  if (block.startsWith(":")) return { event: "comment", data: {} };
  const id = field("id");
  return {
    event: field("event") ?? "message",
    data: JSON.parse(field("data") ?? "{}") as Record<string, unknown>,
    ...(id === undefined ? {} : { id: Number(id) }),
  };
}
