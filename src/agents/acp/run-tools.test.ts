import type { ClientContext } from "@agentclientprotocol/sdk";
import { describe, expect, test } from "vitest";
import type { ExecutionContext } from "../contract.ts";
import { answerPermission } from "./permission.ts";
import { greet, openSession } from "./session.ts";
import { Turn } from "./updates.ts";

const url = "http://127.0.0.1:1/k/sf-key/mcp";

/** An agent that answers every request of ACP with the same. */
function agentThat(agentCapabilities: object): { agent: ClientContext; asked: { method: string; params: unknown }[] } {
  const asked: { method: string; params: unknown }[] = [];
  const request = (method: string, params: unknown): Promise<unknown> => {
    asked.push({ method, params });
    return Promise.resolve(method === "initialize" ? { protocolVersion: 1, agentCapabilities } : { sessionId: "s" });
  };
  return { agent: { request } as unknown as ClientContext, asked };
}

describe("the tools of its run", () => {
  test.each([
    [{ mcpCapabilities: { http: true } }, true],
    [{ mcpCapabilities: { http: false } }, false],
    [{ mcpCapabilities: "yes" }, false],
    [{}, false],
  ])("an agent with %j is taken to reach servers by their address: %s", async (capabilities, takes) => {
    expect((await greet(agentThat(capabilities).agent)).takesMcp).toBe(takes);
  });

  test("are named to a new session and to one that is taken up, and to none without them", async () => {
    const { agent, asked } = agentThat({});
    const common = { cwd: "/t", mode: "allows" as const, sessionModes: undefined, closed: new AbortController().signal };
    await openSession(agent, "resume", { ...common, resume: "old", mcp: url });
    await openSession(agent, "no", { ...common, mcp: url });
    await openSession(agent, "no", common);
    const mcpServers = [{ type: "http", name: "stepfall", url, headers: [] }];
    expect(asked).toEqual([
      { method: "session/resume", params: { sessionId: "old", cwd: "/t", mcpServers } },
      { method: "session/new", params: { cwd: "/t", mcpServers } },
      { method: "session/new", params: { cwd: "/t", mcpServers: [] } },
    ]);
  });

  const options = [
    { optionId: "no", kind: "reject_once" },
    { optionId: "yes", kind: "allow_once" },
  ];
  const asks = async (toolCall: Record<string, unknown>): Promise<unknown> => {
    const context: Pick<ExecutionContext, "permit" | "progress"> = {
      permit: () => Promise.resolve({ allow: false, because: "the step allows nothing" }),
      progress: () => undefined,
    };
    const turn = new Turn("/t", () => undefined);
    const params = { toolCall: { toolCallId: "1", ...toolCall }, options };
    return (await answerPermission(params, turn, context, new Map(), new AbortController().signal)).outcome;
  };

  // As claude-agent-acp and gemini word them.
  test.each([
    { title: "mcp__stepfall__ask", kind: "other", rawInput: { question: "may I?" } },
    { title: "report (stepfall MCP Server)", kind: "other" },
  ])("need nobody's leave, whatever the step allows: %j", async (toolCall) => {
    expect(await asks(toolCall)).toEqual({ outcome: "selected", optionId: "yes" });
  });

  test.each([
    { title: "mcp__stepfall__ask", kind: "execute", rawInput: { command: "rm -rf ." } },
    { title: "mcp__stepfall__ask", kind: "other", rawInput: { command: "rm -rf ." } },
    { title: "mcp__stepfall__ask", kind: "edit", locations: [{ path: "/t/a" }] },
    { title: "mcp__stepfall__delete_all", kind: "other" },
    { title: "mcp__other__ask", kind: "other" },
    { title: "rm; mcp__stepfall__ask", kind: "other" },
  ])("give no leave to anything that only bears their name: %j", async (toolCall) => {
    expect(await asks(toolCall)).toEqual({ outcome: "selected", optionId: "no" });
  });
});
