import { describe } from "vitest";
import { realAgents } from "../catalogue.ts";
import { realAgentSuite } from "../suite.ts";

const only = (process.env["STEPFALL_TEST_AGENTS"] ?? "").split(",").filter((name) => name !== "");

for (const agent of realAgents) {
  if (only.length === 0 || only.includes(agent.preset)) describe(agent.preset, () => realAgentSuite(agent));
}
