import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, type AuthInfo } from "@modelcontextprotocol/server";
import type { McpOptions, Rights } from "./contract.ts";
import { serverFactory } from "./server.ts";

export interface McpEndpoint {
  /** Answers one request to the endpoint. Who calls was checked before: Host, Origin and token are the server's. */
  handle(request: IncomingMessage, response: ServerResponse, rights: Rights): Promise<void>;
  /** Ends the calls that are under way. */
  close(): Promise<void>;
}

/** Bytes of a request: a pipeline's text is the largest thing that is sent. */
const MOST_BYTES = 1_000_000;

/** MCP over streamable HTTP, for clients of both generations; those of 2025 are served without a session. */
export function mcpEndpoint(options: McpOptions): McpEndpoint {
  const handler = createMcpHandler(
    serverFactory(options, ({ authInfo }) => rightsIn(authInfo)),
    {
      maxRequestBodySize: MOST_BYTES,
      ...(options.onError ? { onerror: options.onError } : {}),
    },
  );
  const answer = toNodeHandler(handler, { maxRequestBodySize: MOST_BYTES, ...(options.onError ? { onerror: options.onError } : {}) });
  return {
    handle: (request, response, rights) => answer(Object.assign(request, { auth: authOf(rights) }), response),
    close: () => handler.close(),
  };
}

const names = ["steer", "answer", "approve"] as const satisfies readonly (keyof Rights)[];

/** The SDK carries a caller's rights as scopes. The token itself is of no use behind the door. */
const authOf = (rights: Rights): AuthInfo => ({ token: "", clientId: "", scopes: names.filter((name) => rights[name]) });

const rightsIn = (auth: AuthInfo | undefined): Rights => ({
  steer: auth?.scopes.includes("steer") ?? false,
  answer: auth?.scopes.includes("answer") ?? false,
  approve: auth?.scopes.includes("approve") ?? false,
});
