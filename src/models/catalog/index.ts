/** Models that are known without being asked for: those of vendors, and what local servers list. */
export type { HostedModel, LocalListing, LocalModel, ModelFeature } from "./contract.ts";
export { agentCapabilities, hostedAgentId, localAgentId } from "./agent-id.ts";
export { askLocal, type LocalServer } from "./ask-local.ts";
export { HOSTED_MODELS } from "./hosted-models.ts";
export { blended } from "./tier-of-price.ts";
