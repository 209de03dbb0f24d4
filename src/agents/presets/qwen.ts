import { join } from "node:path";
import { baseUrl, metered } from "./address.ts";
import type { AgentPreset, AgentSetup } from "./contract.ts";

/** Its calls behind the user's back (memories, suggestions) are switched off: an attempt pays for its work only. */
const settings = {
  general: { enableAutoUpdate: false, disableAutoUpdate: true },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  memory: { enableManagedAutoMemory: false, enableManagedAutoDream: false, enableAutoSkill: false },
  ui: { enableFollowupSuggestions: false },
  model: { generationConfig: { maxRetries: 0 } },
};

export const qwen: AgentPreset = {
  id: "qwen",
  name: "Qwen Code",
  executor: "acp",
  argv: ["qwen", "--acp"],
  format: "chat",
  login: [".qwen"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: undefined,
  sessionModes: { asks: "default" },
  resumes: "same folder",
  versionArgs: ["--version"],
  mcp: "surely",
  install: "npm install -g @qwen-code/qwen-code",
  setup(input): AgentSetup {
    const url = baseUrl(input, "chat");
    const ours = metered(input, "chat");
    return {
      args: ours ? ["--auth-type", "openai", "-m", ours.model] : input.model === undefined ? [] : ["-m", input.model],
      env: {
        // Otherwise it starts itself again to have more heap, and a launcher of 120 MB stays beside it.
        ...(url ? { OPENAI_BASE_URL: url, QWEN_CODE_NO_RELAUNCH: "true" } : {}),
        // Otherwise its model may be asked before the tools are there.
        ...(input.mcp ? { QWEN_CODE_LEGACY_MCP_BLOCKING: "1" } : {}),
        ...(ours ? { OPENAI_API_KEY: ours.key, OPENAI_MODEL: ours.model } : {}),
      },
      files: ours ? [{ path: join(input.home, ".qwen/settings.json"), content: JSON.stringify(settings) }] : [],
    };
  },
};
