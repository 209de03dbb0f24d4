import { join } from "node:path";
import { baseUrl, metered } from "./address.ts";
import type { AgentPreset, AgentSetup } from "./contract.ts";

/** Without this file it asks for a login, whatever its environment says. */
const settings = {
  security: { auth: { selectedType: "gemini-api-key" } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 1, retryFetchErrors: false },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
};

/**
 * It takes servers in a folder that it trusts alone, where the project's own settings and hooks count, too. So it is told to where it may run any
 * command anyway; `settings` are put above those of the project.
 */
const trust = (path: string | undefined): Record<string, string> => ({
  GEMINI_CLI_TRUST_WORKSPACE: "true",
  ...(path === undefined ? {} : { GEMINI_CLI_SYSTEM_SETTINGS_PATH: path }),
});

export const gemini: AgentPreset = {
  id: "gemini",
  name: "Gemini CLI",
  executor: "acp",
  argv: ["gemini", "--acp"],
  format: "gemini",
  login: [".gemini"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: true,
  sessionModes: { asks: "default" },
  // It says that it loads sessions; 0.61 finds none of an earlier process.
  resumes: "no",
  versionArgs: ["--version"],
  mcp: "perhaps",
  install: "npm install -g @google/gemini-cli",
  setup(input): AgentSetup {
    const url = baseUrl(input, "gemini");
    const ours = metered(input, "gemini");
    const path = join(input.home, ".gemini/settings.json");
    return {
      args: input.model === undefined ? [] : ["-m", input.model],
      env: {
        // Otherwise it starts itself again to have more heap, and a launcher of 120 MB stays beside it.
        ...(url ? { GOOGLE_GEMINI_BASE_URL: url, GEMINI_CLI_NO_RELAUNCH: "true" } : {}),
        ...(ours ? { GEMINI_API_KEY: ours.key, GEMINI_DEFAULT_AUTH_TYPE: "gemini-api-key" } : {}),
        ...(input.mcp && input.isFree ? trust(ours ? path : undefined) : {}),
      },
      files: ours ? [{ path, content: JSON.stringify(settings) }] : [],
    };
  },
};
