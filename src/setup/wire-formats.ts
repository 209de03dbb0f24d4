import { presets, type WireFormat } from "../agents/index.ts";
import type { Config } from "../config/index.ts";
import { formatFor } from "../models/index.ts";
import { chainOf, providerOf, type GatewayAgent } from "./registry.ts";

/** Who speaks what to a model. */
export const speakerOf = (agent: GatewayAgent): { name: string; format: WireFormat } =>
  agent.executor === "chat" ? { name: "the chat agent", format: "chat" } : presets[agent.preset];

/** The gateway translates for agents that use our keys; an agent's own login is its own provider's. */
export const mayTranslate = (agent: GatewayAgent): boolean => agent.executor === "chat" || agent.credentials === "metered";

/** For people: which of an agent's models it does not reach in its own words. */
export function translationsOf(agent: GatewayAgent, config: Config): string[] {
  if (!mayTranslate(agent)) return [];
  const { format } = speakerOf(agent);
  const chain = chainOf(agent);
  return chain.flatMap((model) => {
    const to = formatFor(format, providerOf({ ...agent, ...model }, config).protocols);
    if (to === undefined || to === format) return [];
    return [`translated from ${format} to ${to}${chain.length > 1 ? ` for ${model.provider}/${model.model}` : ""}`];
  });
}
