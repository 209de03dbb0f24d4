import type { MicroUsd } from "../../domain/index.ts";

/** What a vendor says of a model. What an agent on it can do, its executor decides as well: see `AGENT_CAPABILITIES`. */
export type ModelFeature = "vision" | "web_search" | "long_context";

/** One of the default three, by what the model costs: see `tierOfPrice`. */
export type DefaultTier = "free" | "mid" | "premium";

export interface HostedModel {
  /** Id of a built-in provider. */
  provider: "anthropic" | "openai" | "gemini";
  /** As the provider calls it. */
  model: string;
  tier: DefaultTier;
  /** Tokens that a call may hold. */
  context: number;
  can: readonly ModelFeature[];
}

/** A model that a local server lists. */
export interface LocalModel {
  /** As the server calls it. */
  model: string;
  /** Absent: it can do an agent's work, as far as the server tells. */
  unfit?: string;
}

/** What a local server answered. */
export type LocalListing = { ok: true; models: readonly LocalModel[] } | { ok: false; problem: string };

/** What a price is made of, for `tierOfPrice`; a ModelPrice is one. */
export interface PlainPrice {
  input: MicroUsd;
  output: MicroUsd;
}
