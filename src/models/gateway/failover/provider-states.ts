import { readFileSync } from "node:fs";
import type { ProviderState } from "../contract.ts";
import { gatewayPaths, writeWhole, type GatewayPaths } from "../folder.ts";
import { livingRecord } from "../record.ts";

/** Writes down how the providers are, for people who look from other processes. */
export const writeProviderStates = (paths: GatewayPaths, states: readonly ProviderState[]): void =>
  writeWhole(paths.providers, JSON.stringify(states));

/** How the gateway of a home has seen the providers: those that it leaves alone now, or that have told of a limit. Empty while none runs. */
export function troubledProviders(home: string, now: number): ProviderState[] {
  const paths = gatewayPaths(home);
  if (!livingRecord(paths)) return [];
  let states: ProviderState[];
  try {
    states = JSON.parse(readFileSync(paths.providers, "utf8")) as ProviderState[];
  } catch {
    return [];
  }
  return states
    .map((state) => ({ ...state, limits: state.limits.filter(({ until }) => until > now) }))
    .filter((state) => state.breaker !== "closed" || state.limits.length > 0);
}
