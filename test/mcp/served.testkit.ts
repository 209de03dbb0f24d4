import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { launcher, type Scene } from "../../src/cli/cli.testkit.ts";
import { createLauncher, openControl } from "../../src/control/index.ts";
import { mcpEndpoint, type Rights } from "../../src/server/index.ts";
import { callWith, environmentOf, newClient, SLOWLY, type Answered, type ConnectOptions } from "./mcp-scene.testkit.ts";

const clock = { now: () => Date.now() };
const roles: Readonly<Record<string, Rights>> = {
  viewer: { steer: false, answer: false, approve: false },
  approver: { steer: true, answer: true, approve: false },
};

/** The endpoint alone on a server of its own, in this process: tokens and Host are checked by the server that it belongs to. */
export async function serve(scene: Scene) {
  const surroundings = { env: environmentOf(scene), cwd: scene.folder, home: scene.home, clock };
  const control = await openControl({ surroundings, launcher: createLauncher(surroundings, [process.execPath, launcher]) });
  const endpoint = mcpEndpoint({ control, clock, version: "1.2.3" });
  const server = createServer((request, response) => {
    const rights = roles[String(request.headers.authorization).replace("Bearer ", "")];
    if (rights) void endpoint.handle(request, response, rights);
    else response.writeHead(401).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  return {
    url,
    connect: async (role: string, options: ConnectOptions & { agent?: string }) => {
      const client = newClient(options);
      const headers = { authorization: `Bearer ${role}`, ...(options.agent ? { "user-agent": options.agent } : {}) };
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }), SLOWLY);
      return {
        client,
        call: (name: string, input?: Record<string, unknown>): Promise<Answered> => callWith(client, name, input),
        [Symbol.asyncDispose]: () => client.close(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await endpoint.close();
      server.closeAllConnections();
      server.close();
      await control[Symbol.asyncDispose]();
    },
  };
}
