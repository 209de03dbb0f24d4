import { createServer } from "node:net";

/** Whether nobody listens on a port of this machine, on any address, in either family: it is taken for a moment and given back. */
export async function isPortFree(port: number): Promise<boolean> {
  // Each on its own: a listener on 127.0.0.1 does not keep another from the wildcard address everywhere.
  for (const host of ["0.0.0.0", "127.0.0.1", "::", "::1"]) if ((await bind(port, host)) === "taken") return false;
  return true;
}

function bind(port: number, host: string): Promise<"free" | "taken"> {
  const { promise, resolve } = Promise.withResolvers<"free" | "taken">();
  const server = createServer();
  server.once("error", (error: NodeJS.ErrnoException) => {
    // A family the machine does not have takes no port.
    resolve(error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT" ? "free" : "taken");
  });
  server.listen({ port, host, exclusive: true, ipv6Only: host.includes(":") }, () => server.close(() => resolve("free")));
  return promise;
}
