/**
 * The metering model endpoint every agent talks through: a process of its own on loopback, one for a STEPFALL_HOME,
 * shared by the engines that use this home. It ends by itself when no engine is left, nothing is in flight and no key is kept for an agent
 * whose engine is gone.
 */
export type {
  BudgetLimit,
  GatewayClient,
  KeySpec,
  KeyUsage,
  ModelPrice,
  OpenKey,
  PriceTier,
  Protocol,
  ProviderState,
  QuotaMet,
  QuotaPolicy,
  Upstream,
} from "./contract.ts";
export type { AgentReply, AgentRequest, RequestServer } from "./attempt-mcp/contract.ts";
export { limitInWords } from "./failover/limit-told.ts";
export { troubledProviders } from "./failover/provider-states.ts";
export { connectGateway, type ConnectGatewayOptions } from "./connect.ts";
export { formatFor } from "./translate/index.ts";
export { gatewayDefaults, type GatewayTuning } from "./arguments.ts";
export { GatewayError, type GatewayErrorCode } from "./errors.ts";
export {
  readSpool,
  settledAsUnknown,
  spoolIdOf,
  type ReservedCall,
  type SettledCall,
  type SpoolReading,
  type SpoolRecord,
} from "./spool.ts";
export { isGatewayAlive } from "./process-identity.ts";
export { weaker } from "./key-usage.ts";
export { costOf, priceOf, type ConfiguredPrices, type InputTokens, type Tokens } from "./prices.ts";
