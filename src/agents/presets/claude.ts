import { join } from "node:path";
import { baseUrl, metered } from "./address.ts";
import type { AgentPreset, AgentSetup, SetupInput } from "./contract.ts";

/** Claude Code and the ACP adapter around it read the same environment; neither needs a file. */
function setup(input: SetupInput): AgentSetup {
  const url = baseUrl(input, "messages");
  const ours = metered(input, "messages");
  return {
    args: [],
    env: {
      ...(url ? { ANTHROPIC_BASE_URL: url } : {}),
      ...(ours ? ourEnvironment(ours) : input.model === undefined ? {} : { ANTHROPIC_MODEL: input.model }),
    },
    files: [],
  };
}

const ourEnvironment = ({ key, model }: { key: string; model: string }) => ({
  ANTHROPIC_API_KEY: key,
  // One model is all that the key is for: titles and sub-agents use it, too.
  ANTHROPIC_MODEL: model,
  ANTHROPIC_SMALL_FAST_MODEL: model,
  ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
  ANTHROPIC_DEFAULT_SONNET_MODEL: model,
  ANTHROPIC_DEFAULT_OPUS_MODEL: model,
  CLAUDE_CODE_SUBAGENT_MODEL: model,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION: "false",
  DISABLE_TELEMETRY: "1",
  DISABLE_AUTOUPDATER: "1",
  // Repeated 401s hang it for minutes else.
  CLAUDE_CODE_MAX_RETRIES: "0",
});

/** Longer than any step: a person may take their time, and the step's own timeout counts. */
const TOOL_TIMEOUT_MS = 7 * 86_400_000;

/** The adapter is told of servers by its session; the command line by a file: the key is in the address, and everybody can read a command line. */
function withTools(input: SetupInput): AgentSetup {
  const made = setup(input);
  if (!input.mcp) return made;
  const path = join(input.mcp.folder, ".stepfall-mcp.json");
  const content = JSON.stringify({ mcpServers: { stepfall: { type: "http", url: input.mcp.url } } });
  return {
    args: [...made.args, "--mcp-config", path, "--allowedTools", "mcp__stepfall"],
    env: { ...made.env, MCP_TOOL_TIMEOUT: String(TOOL_TIMEOUT_MS) },
    files: [...made.files, { path, content }],
    hasMcp: true,
  };
}

export const claude: AgentPreset = {
  id: "claude",
  name: "Claude Code",
  executor: "cli",
  argv: ["claude"],
  format: "messages",
  login: [".claude", ".claude.json", ".config/claude"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: false,
  resumes: "anywhere",
  versionArgs: ["--version"],
  mcp: "surely",
  install: "npm install -g @anthropic-ai/claude-code",
  setup: withTools,
};

export const claudeAgentAcp: AgentPreset = {
  id: "claude-agent-acp",
  name: "Claude Agent (ACP)",
  executor: "acp",
  argv: ["claude-agent-acp"],
  format: "messages",
  login: [".claude", ".claude.json", ".config/claude"],
  modes: ["metered", "pass-through", "direct"],
  inputIncludesCached: false,
  sessionModes: { asks: "default" },
  resumes: "anywhere",
  versionArgs: ["--version"],
  mcp: "surely",
  install: "npm install -g @agentclientprotocol/claude-agent-acp",
  setup(input) {
    const made = setup(input);
    return input.mcp ? { ...made, env: { ...made.env, MCP_TOOL_TIMEOUT: String(TOOL_TIMEOUT_MS) } } : made;
  },
};
