import { lookup } from "node:dns/promises";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { BlockList, connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { Duplex } from "node:stream";
import { isAllowed, plainHost } from "./domains.ts";

/** What no allowed name may resolve to: whoever controls the name would else reach this machine or its cloud's metadata. */
function ownAddresses(): BlockList {
  const list = new BlockList();
  for (const [net, bits] of [
    ["0.0.0.0", 8],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["224.0.0.0", 3],
    ["100.100.100.200", 32],
    ["168.63.129.16", 32],
    ["192.0.0.192", 32],
  ] as const)
    list.addSubnet(net, bits, "ipv4");
  for (const [net, bits] of [
    ["::", 128],
    ["::1", 128],
    ["fe80::", 10],
    ["ff00::", 8],
    ["fd00:ec2::", 32],
  ] as const)
    list.addSubnet(net, bits, "ipv6");
  for (const address of Object.values(networkInterfaces()).flat())
    if (address) list.addAddress(address.address.replace(/%.*$/, ""), address.family === "IPv6" ? "ipv6" : "ipv4");
  return list;
}

/** The address to connect to, looked up once and checked; `undefined` when there is none that may be used. */
async function addressOf(host: string): Promise<string | undefined> {
  const name = plainHost(host);
  // An address that is listed as such was meant.
  if (isIP(name) !== 0) return name;
  const blocked = ownAddresses();
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.find(({ address, family }) => !blocked.check(address, family === 6 ? "ipv6" : "ipv4"))?.address;
}

const refusal = (host: string): string => `${host} is not among the domains that this project allows (sandbox.domains in stepfall.yaml)\n`;

/** An HTTP proxy, to be listened with, that lets only `domains` through: CONNECT for TLS, and plain http. Keeps and logs nothing. */
export function createAllowListProxy(domains: readonly string[]): Server {
  const server = createServer((incoming, answer) => void forward(domains, incoming, answer));
  server.on("connect", (incoming: IncomingMessage, client: Duplex, head: Buffer) => void tunnel(domains, incoming, client, head));
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

async function tunnel(domains: readonly string[], incoming: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
  client.on("error", () => client.destroy());
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(incoming.url ?? "") ?? [];
  const address = isAllowed(domains, host, Number(port)) ? await addressOf(host) : undefined;
  if (address === undefined) {
    const text = refusal(host);
    client.end(`HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`);
    return;
  }
  const upstream: Socket = connect({ host: address, port: Number(port) });
  let isOpen = false;
  upstream.once("connect", () => {
    isOpen = true;
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  upstream.on("error", () => void (isOpen ? client.destroy() : client.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n")));
  upstream.on("close", () => client.destroy());
  client.on("close", () => upstream.destroy());
}

async function forward(domains: readonly string[], incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  const url = URL.canParse(incoming.url ?? "") ? new URL(incoming.url ?? "") : undefined;
  const port = Number(url?.port || 80);
  const isMeant = url?.protocol === "http:" && isAllowed(domains, url.hostname, port);
  const address = isMeant ? await addressOf(url.hostname) : undefined;
  if (!url || address === undefined) {
    answer.writeHead(403, { "content-type": "text/plain", connection: "close" }).end(refusal(url?.hostname ?? "this address"));
    return;
  }
  const { "proxy-authorization": _, "proxy-connection": __, connection: ___, ...kept } = incoming.headers;
  // The Host header is of the address that was judged, whatever the program wrote there: one server may have many names.
  const headers = { ...kept, host: url.host, connection: "close" };
  const onward = request({ host: address, port, method: incoming.method, path: url.pathname + url.search, headers, agent: false });
  onward.on("response", (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  onward.on("error", () => void (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
  answer.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
