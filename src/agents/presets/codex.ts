import { join } from "node:path";
import { baseUrl, metered } from "./address.ts";
import type { AgentPreset, AgentSetup, SetupInput } from "./contract.ts";

const KEY_VARIABLE = "STEPFALL_GATEWAY_KEY";

/** TOML's basic strings are JSON's, for what can be in a URL or a model's name. */
const configFor = ({ url, model }: { url: string; model: string }) => `model = ${JSON.stringify(model)}
model_provider = "stepfall"
check_for_update_on_startup = false

[model_providers.stepfall]
name = "stepfall"
base_url = ${JSON.stringify(url)}
env_key = "${KEY_VARIABLE}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false
`;

/** Settings on top of the user's own, where the user's HOME is left as it is. */
interface Overrides {
  model?: string;
  openai_base_url?: string;
}

/** CODEX_HOME is below HOME and not below TMPDIR: there, its sandbox fails every command and it still exits 0. */
function setup(input: SetupInput, override: (overrides: Overrides) => Partial<AgentSetup>): AgentSetup {
  const ours = metered(input, "responses");
  if (!ours) {
    const url = baseUrl(input, "responses");
    const overrides = { ...(input.model === undefined ? {} : { model: input.model }), ...(url ? { openai_base_url: url } : {}) };
    return { args: [], env: {}, files: [], ...(Object.keys(overrides).length > 0 ? override(overrides) : {}) };
  }
  const folder = join(input.home, ".codex");
  return {
    args: [],
    env: { CODEX_HOME: folder, [KEY_VARIABLE]: ours.key },
    files: [{ path: join(folder, "config.toml"), content: configFor(ours) }],
  };
}

export const codex: AgentPreset = {
  id: "codex",
  name: "Codex CLI",
  executor: "cli",
  argv: ["codex"],
  format: "responses",
  login: [".codex"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: true,
  resumes: "anywhere",
  versionArgs: ["--version"],
  install: "npm install -g @openai/codex",
  setup: (input) =>
    setup(input, (overrides) => ({
      args: Object.entries(overrides).flatMap(([name, value]) => ["-c", `${name}=${JSON.stringify(value)}`]),
    })),
};

export const codexAcp: AgentPreset = {
  id: "codex-acp",
  name: "Codex (ACP)",
  executor: "acp",
  argv: ["codex-acp"],
  format: "responses",
  login: [".codex"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: false,
  // Beyond read-only it edits inside its workspace without asking.
  sessionModes: { asks: "read-only", allows: "workspace-write" },
  resumes: "anywhere",
  versionArgs: ["--version"],
  install: "npm install -g @agentclientprotocol/codex-acp",
  setup: (input) => setup(input, (overrides) => ({ env: { CODEX_CONFIG: JSON.stringify(overrides) } })),
};
