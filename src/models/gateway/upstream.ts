import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface UpstreamTimeouts {
  /** Until the status line. */
  firstByteMs: number;
  /** Between two pieces of an answer. */
  idleMs: number;
}

/** How a call to an upstream failed. `sent`: whether it may have begun to work on it. */
export class UpstreamFailure extends Error {
  readonly kind: "unreachable" | "lost" | "timeout" | "aborted";
  readonly sent: boolean;
  constructor(kind: UpstreamFailure["kind"], sent: boolean, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "UpstreamFailure";
    this.kind = kind;
    this.sent = sent;
  }
}

// Connections that were idle for longer are likely to be closed by the server just as they are used again (many close after 5 s).
const keep = { keepAlive: true, timeout: 4_000, maxFreeSockets: 32 };
const agents = { http: new HttpAgent(keep), https: new HttpsAgent(keep) };

export interface UpstreamAnswer {
  status: number;
  header(name: string): string | undefined;
  /** Those that are for the agent: without the connection's, the body's and cookies. */
  headers(): Record<string, string>;
  /** Read once. Throws an UpstreamFailure when it breaks off. */
  body: AsyncIterable<Uint8Array>;
}

/** Posts to the upstream and resolves with its answer at the status line. Rejects with an UpstreamFailure. */
export function post(
  { url: address, headers: given, body }: { url: string; headers: Readonly<Record<string, string>>; body: string },
  timeouts: UpstreamTimeouts,
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const url = new URL(address);
  const secure = url.protocol === "https:";
  const headers = {
    ...given,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "accept-encoding": "identity",
  };
  return new Promise((resolve, reject) => {
    const req: ClientRequest = (secure ? httpsRequest : httpRequest)(url, {
      method: "POST",
      headers,
      agent: secure ? agents.https : agents.http,
    });
    let connected = false;
    let why: UpstreamFailure | undefined;
    const fail = (failure: UpstreamFailure): void => {
      why ??= failure;
      req.destroy(why);
    };
    const first = setTimeout(
      () => fail(new UpstreamFailure("timeout", connected, `did not answer within ${timeouts.firstByteMs / 1000} s`)),
      timeouts.firstByteMs,
    );
    const aborted = (): void => fail(new UpstreamFailure("aborted", connected, String(signal.reason)));
    req.once("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once(secure ? "secureConnect" : "connect", () => (connected = true));
    });
    req.once("response", (res) => {
      clearTimeout(first);
      res.once("close", () => signal.removeEventListener("abort", aborted));
      const silent = (): void => fail(new UpstreamFailure("timeout", true, `sent nothing for ${timeouts.idleMs / 1000} s`));
      resolve({
        status: res.statusCode ?? 0,
        header: (name) => [res.headers[name]].flat()[0],
        headers: () => forAgent(res.headers),
        body: piecesOf(res, timeouts.idleMs, silent, () => why),
      });
    });
    req.on("error", (cause: NodeJS.ErrnoException) => {
      clearTimeout(first);
      signal.removeEventListener("abort", aborted);
      if (why) return reject(why);
      const reason = cause.code ?? cause.message;
      reject(
        connected
          ? new UpstreamFailure("lost", true, `closed the connection (${reason})`, { cause })
          : new UpstreamFailure("unreachable", false, `cannot be reached (${reason})`, { cause }),
      );
    });
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted, { once: true });
    req.end(body);
  });
}

const notForAgent = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-(?:length|type|encoding)|set-cookie)$/;

const forAgent = (headers: IncomingMessage["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (notForAgent.test(name) || value === undefined ? [] : [[name, String(value)]])),
  );

/** Only waiting for the upstream counts as idle: an agent that reads slowly must not look like an upstream that is silent. */
async function* piecesOf(
  res: IncomingMessage,
  idleMs: number,
  onSilence: () => void,
  reason: () => UpstreamFailure | undefined,
): AsyncGenerator<Uint8Array> {
  const pieces = res[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      const timer = setTimeout(onSilence, idleMs);
      const piece = await pieces.next().finally(() => clearTimeout(timer));
      if (piece.done) return;
      yield piece.value;
    }
  } catch (cause) {
    throw reason() ?? new UpstreamFailure("lost", true, `broke off (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`, { cause });
  } finally {
    res.destroy();
  }
}
