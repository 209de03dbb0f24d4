import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable, Transform } from "node:stream";

export interface EndpointOptions {
  url: string;
  /** A secret. Sent to this address's origin and nowhere else. */
  token?: string | undefined;
  /** The header that carries it. Default: `authorization`, as `Bearer TOKEN`. */
  header?: string | undefined;
  /** Plain http to another machine: whoever is on the way reads the prompt, the files and the token. */
  allowInsecure?: boolean | undefined;
}

export interface Endpoint {
  url: URL;
  /** As the global one, but: only this origin, no redirects, no time limit of its own, and an answer of limited size. */
  fetch: typeof fetch;
  /** Whether an answer was longer than allowed. */
  readonly isOverfull: boolean;
  /** Status of the last answer: a client library may hide it behind what the body says. */
  readonly lastStatus: number | undefined;
}

export type OpenedEndpoint = { ok: true; endpoint: Endpoint } | { ok: false; problem: string; hint: string };

const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** `mostBytes`: of all answers together. */
export function openEndpoint(options: EndpointOptions, mostBytes: number): OpenedEndpoint {
  if (!URL.canParse(options.url)) return { ok: false, problem: `${options.url} is no URL`, hint: "Give it as https://host/path." };
  const url = new URL(options.url);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return { ok: false, problem: `${url.protocol} is not supported`, hint: "Use https, or http on this machine." };
  if (url.username !== "" || url.password !== "")
    return { ok: false, problem: "the URL holds a password", hint: "Give the token by token-env: URLs are written to logs." };
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !options.allowInsecure) {
    const problem = `${url.origin} is another machine, and http would show it the prompt and the token unencrypted`;
    return { ok: false, problem, hint: "Use https, or allow it with allow-insecure: true." };
  }
  let left = mostBytes;
  let isOverfull = false;
  let lastStatus: number | undefined;
  const secret = secretHeader(options);
  const send: typeof fetch = async (input, init = {}) => {
    const to = new URL(input instanceof Request ? input.url : input);
    if (to.origin !== url.origin) throw new Error(`${to.origin} is not ${url.origin}, which this agent was registered with`);
    const headers = new Headers(init.headers);
    if (secret) headers.set(...secret);
    const response = await exchange(to, {
      method: init.method ?? "GET",
      headers,
      body: bodyOf(init.body),
      signal: init.signal ?? undefined,
    });
    lastStatus = response.statusCode;
    const limited = new Transform({
      transform(chunk: Buffer, _, done) {
        left -= chunk.length;
        isOverfull ||= left < 0;
        if (isOverfull) done(new Error(`the answer is longer than ${mostBytes} bytes`));
        else done(null, chunk);
      },
    });
    response.on("error", (error) => limited.destroy(error));
    limited.on("close", () => response.destroy());
    return new Response(Readable.toWeb(response.pipe(limited)) as ReadableStream, {
      status: response.statusCode ?? 500,
      headers: Object.entries(response.headers).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
      ),
    });
  };
  return {
    ok: true,
    endpoint: {
      url,
      fetch: send,
      get isOverfull() {
        return isOverfull;
      },
      get lastStatus() {
        return lastStatus;
      },
    },
  };
}

function secretHeader({ token, header }: EndpointOptions): [string, string] | undefined {
  if (token === undefined) return undefined;
  return header === undefined || header.toLowerCase() === "authorization" ? ["authorization", `Bearer ${token}`] : [header, token];
}

function bodyOf(body: RequestInit["body"]): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return body;
  throw new Error("only texts are sent");
}

interface Exchange {
  method: string;
  headers: Headers;
  body: string | undefined;
  signal: AbortSignal | undefined;
}

/** By node:http: the global fetch gives up after five minutes of silence, and an agent may think longer. */
function exchange(url: URL, { method, headers, body, signal }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = start(url, { method, headers: Object.fromEntries(headers), signal, agent: false }, resolve);
    request.on("error", reject);
    request.end(body);
  });
}
