import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentCard } from "@a2a-js/sdk";
import { DefaultRequestHandler, JsonRpcTransportHandler } from "@a2a-js/sdk/server";
import { AgentError } from "../errors.ts";
import { RecentTasks } from "./recent-tasks.ts";
import { answerRequest, type RpcDeps } from "./serve-rpc.ts";
import { ServedTasks } from "./serve-task.ts";
import type { ServeAgentOptions, ServedAgent } from "./serve.ts";

/** Over tasks can be asked for so long: a caller whose stream broke comes back within seconds. */
const KEPT_TASKS = 20;

export async function startServing(options: ServeAgentOptions): Promise<ServedAgent> {
  if (options.token.length < 16)
    throw new AgentError("AGENT_TOKEN_WEAK", "the token of a served agent is too short", "Take one of at least 16 random characters.");
  const tasks = new ServedTasks(options);
  const mostBytes = options.mostBytes ?? 32 * 1024 * 1024;
  // Known once the port is: the card holds it.
  let answer: RpcDeps | undefined;
  const server = createServer((request, response) => {
    if (answer) void answerRequest(answer, request, response);
    else response.writeHead(503).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `no agent can be served on port ${options.port ?? 0} of 127.0.0.1: ${cause.message}`;
      reject(new AgentError("AGENT_PORT", message, "Give another port, or none to take a free one.", { cause }));
    });
    server.listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const card = cardOf(options, url);
  const handler = new DefaultRequestHandler(card, new RecentTasks(KEPT_TASKS), tasks);
  answer = { card, rpc: new JsonRpcTransportHandler(handler), token: options.token, port, mostBytes };
  return {
    url,
    port,
    async close() {
      server.close();
      await tasks.close();
      server.closeAllConnections();
    },
  };
}

const cardOf = ({ name, description, version }: ServeAgentOptions, url: string): AgentCard =>
  AgentCard.fromJSON({
    name,
    description: description ?? `${name}, served by Stepfall`,
    version: version ?? "1.0.0",
    supportedInterfaces: [{ url: `${url}/`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    capabilities: { streaming: true, pushNotifications: false },
    securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: "Bearer" } } },
    securityRequirements: [{ schemes: { bearer: { list: [] } } }],
    defaultInputModes: ["text/plain", "application/json", "application/octet-stream"],
    defaultOutputModes: ["text/plain", "application/octet-stream"],
    skills: [{ id: "work", name: "Work on files", description: "Does what the prompt says with the files it is sent", tags: ["code"] }],
  });
