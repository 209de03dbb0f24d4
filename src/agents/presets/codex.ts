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

/** Longer than any step: a person may take their time, and the step's own timeout counts. */
const TOOL_TIMEOUT_S = 7 * 86_400;

const toolsFor = (url: string) => `
[mcp_servers.stepfall]
url = ${JSON.stringify(url)}
tool_timeout_sec = ${TOOL_TIMEOUT_S}
default_tools_approval_mode = "approve"
`;

/** Settings on top of the user's own, where the user's HOME is left as it is. */
interface Overrides {
  model?: string;
  openai_base_url?: string;
  mcp_servers?: { stepfall: { url: string; tool_timeout_sec: number; default_tools_approval_mode: "approve" } };
}

/** CODEX_HOME is below HOME and not below TMPDIR: there, its sandbox fails every command and it still exits 0. */
function setup(input: SetupInput, override: (overrides: Overrides) => Partial<AgentSetup>): AgentSetup {
  const ours = metered(input, "responses");
  if (!ours) {
    const url = baseUrl(input, "responses");
    const stepfall = { url: input.mcp?.url ?? "", tool_timeout_sec: TOOL_TIMEOUT_S, default_tools_approval_mode: "approve" as const };
    const overrides: Overrides = {
      ...(input.model === undefined ? {} : { model: input.model }),
      ...(url ? { openai_base_url: url } : {}),
      ...(input.mcp ? { mcp_servers: { stepfall } } : {}),
    };
    const made = { args: [], env: {}, files: [], ...(Object.keys(overrides).length > 0 ? override(overrides) : {}) };
    return input.mcp ? { ...made, hasMcp: true } : made;
  }
  const folder = join(input.home, ".codex");
  return {
    args: [],
    env: { CODEX_HOME: folder, [KEY_VARIABLE]: ours.key },
    files: [{ path: join(folder, "config.toml"), content: configFor(ours) + (input.mcp ? toolsFor(input.mcp.url) : "") }],
    ...(input.mcp ? { hasMcp: true } : {}),
  };
}

/** Names of settings with dots, as its command line takes them. */
const dotted = (settings: object, before = ""): [string, unknown][] =>
  Object.entries(settings).flatMap(([name, value]): [string, unknown][] =>
    value !== null && typeof value === "object" ? dotted(value as object, `${before}${name}.`) : [[`${before}${name}`, value]],
  );

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
  mcp: "surely",
  install: "npm install -g @openai/codex",
  setup: (input) =>
    setup(input, (overrides) => ({
      args: dotted(overrides).flatMap(([name, value]) => ["-c", `${name}=${JSON.stringify(value)}`]),
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
  mcp: "surely",
  install: "npm install -g @agentclientprotocol/codex-acp",
  setup: (input) => setup(input, (overrides) => ({ env: { CODEX_CONFIG: JSON.stringify(overrides) } })),
};
