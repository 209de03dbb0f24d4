import type { ModelFeature } from "./contract.ts";

const MOST = 64;

/** `gpt-5.4-mini` -> `gpt-5-4-mini`: the id of the agent on a hosted model, in the form all ids have. */
export const hostedAgentId = (model: string): string => slug(model);

/** `ollama`, `qwen3-coder:30b` -> `ollama-qwen3-coder-30b`. */
export const localAgentId = (provider: string, model: string): string => slug(`${provider}-${model}`);

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, MOST);

/** What the built-in agent and the programs pass on of a model: they send no pictures, and no vendor's own search. */
const PASSED_ON: ReadonlySet<ModelFeature> = new Set<ModelFeature>(["long_context"]);

/** What an agent on a model says it can do. */
export const agentCapabilities = (can: readonly ModelFeature[]): string[] => ["edit", ...can.filter((feature) => PASSED_ON.has(feature))];
