import { metered } from "./address.ts";
import type { AgentPreset, AgentSetup } from "./contract.ts";

/** Any program that speaks ACP, told by OpenAI's usual variables where its model is. */
export const custom: AgentPreset = {
  id: "acp",
  name: "ACP agent",
  executor: "acp",
  // Never started by this name: the settings require a command.
  argv: ["acp"],
  format: "chat",
  login: [],
  modes: ["metered", "direct"],
  unsupported: "how this agent is sent elsewhere with its own login is not known; use a preset, or credentials: direct",
  inputIncludesCached: true,
  resumes: "anywhere",
  versionArgs: ["--version"],
  mcp: "perhaps",
  install: "Install the program that `command` names",
  setup(input): AgentSetup {
    const ours = metered(input, "chat");
    return { args: [], env: ours ? { OPENAI_BASE_URL: ours.url, OPENAI_API_KEY: ours.key, OPENAI_MODEL: ours.model } : {}, files: [] };
  },
};
