/** The MCP server: Stepfall as tools and resources of other agents, over their pipes or over HTTP. */
export type { McpOptions, Rights } from "./contract.ts";
export { mcpEndpoint, type McpEndpoint } from "./http.ts";
export { serveMcpOnStdio } from "./stdio.ts";
