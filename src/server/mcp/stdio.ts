import type { Readable, Writable } from "node:stream";
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import type { McpOptions, Rights } from "./contract.ts";
import { serverFactory } from "./server.ts";

/** Serves one client over its pipes, until it closes them or `signal` aborts. `output` is the protocol's alone. */
export async function serveMcpOnStdio(
  options: McpOptions & { rights: Rights },
  streams: { input: Readable; output: Writable },
  signal: AbortSignal,
): Promise<void> {
  const { input, output } = streams;
  const gone = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) input.once(event, () => resolve());
    output.once("error", () => resolve());
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  const handle = serveStdio(
    serverFactory(options, () => options.rights),
    {
      transport: new StdioServerTransport(input, output),
      ...(options.onError ? { onerror: options.onError } : {}),
    },
  );
  await gone;
  await handle.close();
}
