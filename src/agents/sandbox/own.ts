import type { PresetId } from "../presets/contract.ts";

/**
 * Agents that bring a sandbox which cannot be started within ours, so that they are started outside; each with what theirs does, for
 * people. Measured with Codex 0.169: within ours its every command fails, and it exits 0.
 */
export const agentsWithOwnSandbox: Partial<Record<PresetId, string>> = {
  codex: "Codex's own sandbox: its commands write in the workspace only, and read whatever you can",
  "codex-acp": "Codex's own sandbox: its commands write in the workspace only, and read whatever you can",
};
