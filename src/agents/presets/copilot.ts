import { metered } from "./address.ts";
import type { AgentPreset, AgentSetup } from "./contract.ts";

export const copilot: AgentPreset = {
  id: "copilot",
  name: "GitHub Copilot CLI",
  executor: "acp",
  argv: ["copilot", "--acp", "--no-auto-update"],
  format: "chat",
  login: [".copilot", ".config/github-copilot"],
  modes: ["metered", "direct"],
  unsupported: "copilot reaches GitHub's own endpoint with its login, which the gateway does not serve",
  inputIncludesCached: true,
  resumes: "anywhere",
  versionArgs: ["--version"],
  mcp: "surely",
  install: "npm install -g @github/copilot",
  setup(input): AgentSetup {
    const ours = metered(input, "chat");
    if (!ours) return { args: input.model === undefined ? [] : ["--model", input.model], env: {}, files: [] };
    return {
      args: [],
      env: {
        COPILOT_PROVIDER_BASE_URL: ours.url,
        COPILOT_PROVIDER_API_KEY: ours.key,
        COPILOT_MODEL: ours.model,
        // No login, no telemetry, no update: only the provider is reached.
        COPILOT_OFFLINE: "true",
      },
      files: [],
    };
  },
};
