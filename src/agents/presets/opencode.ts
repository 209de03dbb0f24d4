import { join } from "node:path";
import { metered } from "./address.ts";
import type { AgentPreset, AgentSetup } from "./contract.ts";

const CONFIG = ".config/stepfall/opencode.json";

const configFor = (ours: { url: string; key: string; model: string }) => ({
  autoupdate: false,
  share: "disabled",
  model: `stepfall/${ours.model}`,
  // Titles and the like: one model is all that the key is for.
  small_model: `stepfall/${ours.model}`,
  enabled_providers: ["stepfall"],
  provider: {
    stepfall: {
      npm: "@ai-sdk/openai-compatible",
      options: { baseURL: ours.url, apiKey: ours.key },
      models: { [ours.model]: { name: ours.model, tool_call: true, limit: { context: 128_000, output: 32_000 } } },
    },
  },
  // It asks; what is allowed, the step's policy says.
  permission: { edit: "ask", bash: "ask", webfetch: "ask" },
});

export const opencode: AgentPreset = {
  id: "opencode",
  name: "opencode",
  executor: "acp",
  argv: ["opencode", "acp"],
  format: "chat",
  login: [".config/opencode", ".local/share/opencode", ".local/state/opencode", ".cache/opencode"],
  modes: ["metered", "direct"],
  unsupported: "opencode keeps the address of each provider in a config of its own, which pass-through does not write",
  // What it reports is its last step's alone.
  inputIncludesCached: undefined,
  usageComesLate: true,
  resumes: "anywhere",
  versionArgs: ["--version"],
  mcp: "surely",
  install: "npm install -g opencode-ai",
  setup(input): AgentSetup {
    const ours = metered(input, "chat");
    if (!ours) {
      if (input.model === undefined) return { args: [], env: {}, files: [] };
      return { args: [], env: { OPENCODE_CONFIG_CONTENT: JSON.stringify({ model: input.model }) }, files: [] };
    }
    const path = join(input.home, CONFIG);
    return {
      args: [],
      env: {
        OPENCODE_CONFIG: path,
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      },
      files: [{ path, content: JSON.stringify(configFor(ours)) }],
    };
  },
};
