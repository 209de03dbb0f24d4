import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Confine } from "../contract.ts";
import { AgentError } from "../errors.ts";

/** Inside, the proxy for allowed domains is here, on a loopback that the sandbox has to itself. */
export const PROXY_PORT = 13128;

/** The ways by which the network comes in, open while one process runs. */
export interface Bridge {
  /** `8765=a1b2.gateway 13128=a1b2.proxy`: a port inside, and a socket in the bridge folder. Empty: no way in. */
  ways: string;
  close(): void;
}

/**
 * Listens in the bridge folder, which the sandbox sees read-only, for what a program inside connects to: the gateway, and a proxy
 * for the allowed domains. It lives in the process that starts the program and ends with it; it holds no key and looks at nothing.
 */
export async function openBridge(confine: Confine): Promise<Bridge> {
  const { network } = confine;
  if (network.kind === "open") return { ways: "", close() {} };
  const name = randomBytes(6).toString("hex");
  const servers: [port: number, socket: string, server: Server][] = [];
  if (network.gatewayPort !== undefined) {
    const port = network.gatewayPort;
    servers.push([port, `${name}.gateway`, createServer({ allowHalfOpen: true }, (inside) => passOn(inside, port))]);
  }
  if (network.domains.length > 0) {
    // Loaded only where it is needed: most agents talk to the gateway alone, and a keeper is to be small.
    const { createAllowListProxy } = await import("./allow-list-proxy.ts");
    servers.push([PROXY_PORT, `${name}.proxy`, createAllowListProxy(network.domains)]);
  }
  if (servers.length === 0) return { ways: "", close() {} };
  let folder: number | undefined;
  try {
    folder = openSync(confine.bridge, constants.O_RDONLY | constants.O_DIRECTORY);
    for (const [, socket, server] of servers) await listen(server, folder, socket);
  } catch (cause) {
    for (const [, , server] of servers) server.close();
    if (folder !== undefined) closeSync(folder);
    const message = `the sandbox's way to the gateway could not be opened: ${(cause as Error).message}`;
    throw new AgentError("AGENT_SANDBOX", message, "Check that STEPFALL_HOME is writable and has space left.", { cause });
  }
  const held = folder;
  return {
    ways: servers.map(([port, socket]) => `${port}=${socket}`).join(" "),
    close() {
      const left = servers.map(([, , server]) => new Promise<void>((resolve) => server.close(() => resolve())));
      // A socket's name is removed by the path it was made under.
      void Promise.all(left).then(() => closeSync(held));
    },
  };
}

/** A socket's whole path may have some 100 bytes, and workspaces lie deep: by the descriptor of its folder it is short. */
function listen(server: Server, folder: number, socket: string): Promise<void> {
  const path = `/proc/self/fd/${folder}/${socket}`;
  server.unref();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, resolve);
  });
}

function passOn(inside: Socket, port: number): void {
  const gateway = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  for (const [one, other] of [
    [inside, gateway],
    [gateway, inside],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
    one.pipe(other);
  }
}
