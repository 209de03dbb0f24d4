/**
 * Stepfall to browsers and to other programs: the HTTP API with its stream, the dashboard's files, and MCP for agents. On this machine only.
 */
export { apiDocument } from "./api.ts";
export { API_PATH } from "./paths.ts";
export { ROLES, type Caller, type Role } from "./callers.ts";
export { ServerError, type ServerErrorCode } from "./errors.ts";
export type { NodeRoute } from "./front-door.ts";
export { tokenFile } from "./login.ts";
export { askLoginLink, readServerRecord, removeServerRecord, writeServerRecord, type ServerRecord } from "./record.ts";
export { startServer, type RunningServer, type ServerOptions, type ServerTuning } from "./server.ts";
export { mcpEndpoint, serveMcpOnStdio, type McpEndpoint, type McpOptions, type Rights } from "./mcp/index.ts";
