import type { HostedModel } from "./contract.ts";

/**
 * Models of vendors that can do an agent's work: they call tools, over the wire formats that our providers speak. Looked up 2026-11-21.
 * Ids and tool calls: the model lists in the vendors' packages of the AI SDK (@ai-sdk/anthropic 4.0, openai 4.0, google 4.0), which a test
 * compares. Context: @pydantic/genai-prices 0.1.8, compared too; gemini-3.1-pro-preview, of which it has none, ai.google.dev/gemini-api/docs/models.
 * Vision: platform.claude.com/docs (all current models), and the same packages for the others. Web search: only where they document it.
 * Not here, though it is listed and priced: GPT-5.6, which refuses tool calls with reasoning in the chat format.
 */
export const HOSTED_MODELS: readonly HostedModel[] = [
  { provider: "anthropic", model: "claude-haiku-4-5", tier: "mid", context: 200_000, can: ["vision"] },
  { provider: "anthropic", model: "claude-sonnet-5", tier: "mid", context: 1_000_000, can: ["vision", "long_context"] },
  { provider: "anthropic", model: "claude-opus-5-5", tier: "premium", context: 1_000_000, can: ["vision", "long_context"] },
  { provider: "anthropic", model: "claude-fable-5-1", tier: "premium", context: 1_000_000, can: ["vision", "long_context"] },
  { provider: "openai", model: "gpt-6-luna", tier: "mid", context: 1_050_000, can: ["vision", "long_context"] },
  { provider: "openai", model: "gpt-5.4-mini", tier: "mid", context: 400_000, can: ["vision"] },
  { provider: "openai", model: "gpt-6-sol", tier: "mid", context: 1_050_000, can: ["vision", "long_context"] },
  { provider: "openai", model: "gpt-5.5", tier: "premium", context: 1_000_000, can: ["vision", "long_context"] },
  { provider: "openai", model: "gpt-6-astra", tier: "premium", context: 1_050_000, can: ["vision", "long_context"] },
  { provider: "gemini", model: "gemini-3.5-flash-lite", tier: "mid", context: 1_000_000, can: ["vision", "web_search", "long_context"] },
  { provider: "gemini", model: "gemini-3.8-flash", tier: "mid", context: 1_000_000, can: ["vision", "web_search", "long_context"] },
  { provider: "gemini", model: "gemini-3.1-pro-preview", tier: "mid", context: 1_048_576, can: ["vision", "web_search", "long_context"] },
];
