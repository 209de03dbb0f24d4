import type { McpRequestContext, McpServer, ServerContext } from "@modelcontextprotocol/server";
import { CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY } from "@modelcontextprotocol/server";
import type { McpOptions, Rights } from "./contract.ts";

/** Who calls a tool, as the journal knows them. */
export interface Caller {
  /** `mcp:claude-code`. */
  agent: string;
  /** Whoever answers when the client asks its person: `mcp:claude-code/anna`. */
  person: string;
  rights: Rights;
  /** Whether the client can put a form to its person, and how: told to go and come back, or asked in mid-call. */
  asks: "between-calls" | "in-call" | undefined;
}

/**
 * The client says its name with each request (2026-07-28), or once, in its handshake. Over HTTP, 2025's clients are served without a session:
 * there, what they call themselves in `User-Agent` is all there is.
 */
export function callerOf(
  { server }: McpServer,
  ctx: ServerContext,
  request: McpRequestContext,
  rights: Rights,
  { person }: Pick<McpOptions, "person">,
): Caller {
  const envelope: Readonly<Record<string, unknown>> = ctx.mcpReq.envelope ?? {};
  const modern = request.era === "modern";
  // oxlint-disable-next-line typescript/no-deprecated -- of 2025's clients it is the only source
  const handshake = { info: server.getClientVersion(), capabilities: server.getClientCapabilities() };
  const told = nameIn(envelope[CLIENT_INFO_META_KEY]) ?? nameIn(handshake.info);
  const client = plainName(told ?? request.requestInfo?.headers.get("user-agent")?.split(/[/ ]/)[0]);
  const capabilities = modern ? (envelope[CLIENT_CAPABILITIES_META_KEY] ?? handshake.capabilities) : handshake.capabilities;
  const asks = !canElicit(capabilities) ? undefined : modern ? "between-calls" : "in-call";
  return { agent: `mcp:${client}`, person: `mcp:${client}/${plainName(person, "person")}`, rights, asks };
}

const nameIn = (info: unknown): string | undefined => {
  const name = (info as { name?: unknown } | undefined)?.name;
  return typeof name === "string" ? name : undefined;
};

/** It becomes part of a name in the journal: no `/` and no `:`, which mean something there. */
function plainName(told: string | undefined, otherwise = "unnamed"): string {
  const plain = (told ?? "").replace(/[^\w.@-]+/g, "-").replace(/^-+|-+$/g, "");
  return plain.slice(0, 40) || otherwise;
}

/** Forms are what `elicitation: {}` has meant since before there were modes. */
function canElicit(capabilities: unknown): boolean {
  const elicitation = (capabilities as { elicitation?: { form?: unknown; url?: unknown } } | undefined)?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}
