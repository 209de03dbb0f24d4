import { claude, claudeAgentAcp } from "./claude.ts";
import { codex, codexAcp } from "./codex.ts";
import type { AgentPreset, PresetId } from "./contract.ts";
import { copilot } from "./copilot.ts";
import { custom } from "./custom.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";
import { qwen } from "./qwen.ts";

/** The agents people have. */
export const presets: Readonly<Record<PresetId, AgentPreset>> = {
  gemini,
  qwen,
  opencode,
  "claude-agent-acp": claudeAgentAcp,
  "codex-acp": codexAcp,
  copilot,
  claude,
  codex,
  acp: custom,
};
