import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, ProtocolError, SdkError, type AuthInfo } from "@modelcontextprotocol/server";
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
  const onerror = (error: Error): void => {
    if (!isRefusal(error)) options.onError?.(error);
  };
  const limits = { maxRequestBodySize: MOST_BYTES, onerror };
  const handler = createMcpHandler(
    serverFactory(options, ({ authInfo }) => rightsIn(authInfo)),
    limits,
  );
  const answer = toNodeHandler(handler, limits);
  return {
    handle: (request, response, rights) => answer(Object.assign(request, { auth: authOf(rights) }), response),
    close: () => handler.close(),
  };
}

/** The SDK reports what clients do wrong, which they are told, as plain errors; what goes wrong with itself is of a class of its own. */
const isRefusal = (error: Error): boolean => error.constructor === Error || error instanceof ProtocolError || error instanceof SdkError;

const names = ["steer", "answer", "approve"] as const satisfies readonly (keyof Rights)[];

/** The SDK carries a caller's rights as scopes. The token itself is of no use behind the door. */
const authOf = (rights: Rights): AuthInfo => ({ token: "", clientId: "", scopes: names.filter((name) => rights[name]) });

const rightsIn = (auth: AuthInfo | undefined): Rights => ({
  steer: auth?.scopes.includes("steer") ?? false,
  answer: auth?.scopes.includes("answer") ?? false,
  approve: auth?.scopes.includes("approve") ?? false,
});
