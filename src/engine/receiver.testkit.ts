import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** A real HTTP server on loopback that keeps what it gets. `answer` may be changed while it runs. */
export interface Receiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Status and body of the next answers; a promise holds them back. */
  answer: (received: Received) => { status: number; body?: string } | Promise<{ status: number; body?: string }>;
}

export async function startReceiver(): Promise<Receiver> {
  const receiver: Pick<Receiver, "received" | "answer"> = { received: [], answer: () => ({ status: 200 }) };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const received = { path: request.url ?? "", headers: request.headers, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
      receiver.received.push(received);
      void Promise.resolve(receiver.answer(received)).then(({ status, body = "" }) => response.writeHead(status).end(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
