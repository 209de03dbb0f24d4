import { PROTOCOL_VERSION, type ClientContext } from "@agentclientprotocol/sdk";
import { z } from "zod";
import type { AgentPreset } from "../presets/contract.ts";

const Introduction = z.looseObject({
  protocolVersion: z.number(),
  agentInfo: z.looseObject({ name: z.string(), title: z.string().nullish(), version: z.string().nullish() }).nullish(),
  agentCapabilities: z
    .looseObject({
      loadSession: z.boolean().nullish(),
      sessionCapabilities: z.looseObject({ resume: z.unknown().optional() }).nullish(),
      mcpCapabilities: z.looseObject({ http: z.boolean().nullish() }).nullish().catch(null),
    })
    .nullish(),
});
const Modes = z.looseObject({
  modes: z.looseObject({ currentModeId: z.string(), availableModes: z.array(z.looseObject({ id: z.string() })) }).nullish(),
});
const NewSession = Modes.extend({ sessionId: z.string() });

/** How a session of an earlier process is taken up. */
type Resumes = "resume" | "load" | "no";

export interface Greeting {
  /** As the agent calls itself, with its version. */
  name: string | undefined;
  resumes: Resumes;
  /** Whether it takes an MCP server by its address. */
  takesMcp: boolean;
}

/** The agent cannot be talked to: it speaks another version of the protocol, or what it says is not ACP. */
export class ProtocolMismatch extends Error {}

/** Files and terminals are the agent's own business, in its workspace: with ours announced, some fail to create a file. */
export async function greet(agent: ClientContext): Promise<Greeting> {
  const answer: unknown = await agent.request("initialize", {
    protocolVersion: PROTOCOL_VERSION,
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  });
  const parsed = Introduction.safeParse(answer);
  if (!parsed.success) throw new ProtocolMismatch("its answer to initialize is not ACP");
  const { protocolVersion, agentInfo, agentCapabilities } = parsed.data;
  if (protocolVersion !== PROTOCOL_VERSION)
    throw new ProtocolMismatch(`it speaks version ${protocolVersion} of ACP; Stepfall speaks ${PROTOCOL_VERSION}`);
  const name = agentInfo ? `${agentInfo.title ?? agentInfo.name}${agentInfo.version ? ` ${agentInfo.version}` : ""}` : undefined;
  const canResume = agentCapabilities?.sessionCapabilities?.resume;
  const resumes = canResume !== undefined && canResume !== null ? "resume" : agentCapabilities?.loadSession ? "load" : "no";
  return { name, resumes, takesMcp: agentCapabilities?.mcpCapabilities?.http === true };
}

export interface SessionWish {
  cwd: string;
  /** A session to take up. */
  resume?: string | undefined;
  /** Whether what it does must be asked for, or nothing of it need be. */
  mode: "asks" | "allows";
  sessionModes: AgentPreset["sessionModes"];
  /** Address of an MCP server for it. */
  mcp?: string | undefined;
  /** Aborts when the connection is gone. */
  closed: AbortSignal;
}

export interface OpenSession {
  id: string;
  /** Why an earlier session was asked for and not taken up. */
  notResumed?: string;
}

/** Takes the earlier session up where that can be done, else begins one. */
export async function openSession(agent: ClientContext, resumes: Resumes, wish: SessionWish): Promise<OpenSession> {
  const { cwd, resume, mcp } = wish;
  const mcpServers = mcp === undefined ? [] : [{ type: "http", name: "stepfall", url: mcp, headers: [] }];
  let notResumed: string | undefined;
  if (resume !== undefined && resumes !== "no") {
    try {
      const taken: unknown = await agent.request(`session/${resumes}`, { sessionId: resume, cwd, mcpServers });
      await setMode(agent, resume, taken, wish);
      return { id: resume };
    } catch (error) {
      if (wish.closed.aborted) throw error;
      notResumed = (error as Error).message;
    }
  } else if (resume !== undefined) notResumed = "the agent cannot take sessions up";
  const begun: unknown = await agent.request("session/new", { cwd, mcpServers });
  const parsed = NewSession.safeParse(begun);
  if (!parsed.success) throw new ProtocolMismatch("its answer to session/new has no session");
  const id = parsed.data.sessionId;
  await setMode(agent, id, begun, wish);
  return { id, ...(notResumed === undefined ? {} : { notResumed }) };
}

async function setMode(agent: ClientContext, sessionId: string, opened: unknown, { mode, sessionModes }: SessionWish): Promise<void> {
  const wanted = mode === "allows" ? (sessionModes?.allows ?? sessionModes?.asks) : sessionModes?.asks;
  const modes = Modes.safeParse(opened).data?.modes;
  // Without a word about modes it may be in any: a resumed session can be in one that asks nothing.
  const isThere = modes ? modes.availableModes.some(({ id }) => id === wanted) : false;
  if (wanted === undefined || !isThere || modes?.currentModeId === wanted) return;
  await agent.request("session/set_mode", { sessionId, modeId: wanted });
}
