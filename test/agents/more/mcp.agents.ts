import { expect, test } from "vitest";
import { keptBy } from "../../acceptance/run-journal.testkit.ts";
import { McpScene } from "../../mcp/mcp-scene.testkit.ts";
import { asked, callingAgents, letCall } from "../mcp-caller.ts";

const only = (process.env["STEPFALL_TEST_AGENTS"] ?? "").split(",").filter((name) => name !== "");
const chosen = callingAgents.filter(({ preset }) => only.length === 0 || only.includes(preset));

test.each(chosen.map((agent) => [agent.preset, agent] as const))(
  "%s uses our MCP server: it starts a run, is asked, answers in its own name, and gets the diff",
  async (preset, agent) => {
    await using scene = new McpScene(asked);
    const { code, output, tools, told } = await letCall(agent, scene);
    const about = `${output}\n${JSON.stringify({ tools, told }, undefined, 1)}`;
    expect(code, about).toBe(0);
    for (const name of ["do", "start_run", "wait_run", "get_run", "list_runs", "get_diff", "inbox", "answer", "approve", "cancel", "cost"])
      expect(
        tools.some((tool) => tool.endsWith(name)),
        `${name} among ${tools.join()}`,
      ).toBe(true);
    expect(told.at(-1), about).toContain("+beta");
    const kept = await keptBy(scene);
    expect(kept.of("RunFinished").map((e) => e.data.outcome)).toEqual(["succeeded"]);
    const actor = kept.events.find(({ event }) => event.type === "InboxAnswered")?.actor;
    expect(actor).toMatch(new RegExp(`^mcp:${preset}[\\w.-]*$`));
  },
  300_000,
);
