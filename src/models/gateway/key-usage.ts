import type { Provenance } from "../../domain/index.ts";
import type { KeyUsage } from "./contract.ts";
import { scanSpool, settledAsUnknown, type ReservedCall, type SettledCall } from "./spool.ts";

const strength: Record<Provenance, number> = { reported: 2, estimated: 1, unknown: 0 };

/** The weaker of two: what a sum of both can claim. */
export const weaker = (a: Provenance, b: Provenance): Provenance => (strength[a] <= strength[b] ? a : b);

const emptyUsage = (): KeyUsage => ({
  calls: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  microUsd: 0,
  provenance: "reported",
});

/** Adds a settled call. Refused ones never went out: they count nothing, and only their reason is kept. */
function addToUsage(usage: KeyUsage, call: SettledCall): KeyUsage {
  if (call.outcome === "refused") {
    if (call.exhausted) return { ...usage, exhausted: call.exhausted };
    return { ...usage, ...(call.quota && { quota: call.quota }), ...(call.error && { upstreamError: call.error }) };
  }
  const { quota: _, ...before } = usage;
  return {
    ...(call.outcome === "ok" ? before : usage),
    calls: usage.calls + 1,
    inputTokens: usage.inputTokens + call.inputTokens,
    cachedInputTokens: usage.cachedInputTokens + call.cachedInputTokens,
    outputTokens: usage.outputTokens + call.outputTokens,
    microUsd: usage.microUsd + call.microUsd,
    provenance: weaker(usage.provenance, call.provenance),
    ...(call.credentials && { credentials: call.credentials }),
    ...(call.outcome === "failed" && call.error !== undefined && { upstreamError: call.error }),
  };
}

/**
 * What every key of the spool has used, by its id: all that is known of keys that an earlier gateway had open. About 300 bytes a key, kept
 * as long as the gateway runs.
 */
export class UsageByKey {
  readonly #usages = new Map<string, KeyUsage>();

  of(keyId: string): KeyUsage {
    let usage = this.#usages.get(keyId);
    if (!usage) this.#usages.set(keyId, (usage = emptyUsage()));
    return usage;
  }

  add(call: SettledCall): void {
    this.#usages.set(call.keyId, addToUsage(this.of(call.keyId), call));
  }
}

/** What the spool says of a key when no gateway can be asked. Calls that were never settled count as `unknown`. */
export function usageFromSpool(spool: string, keyId: string): KeyUsage {
  const open = new Map<string, ReservedCall>();
  let usage = emptyUsage();
  scanSpool(spool, 0, (record) => {
    if (record.keyId !== keyId) return;
    if (record.type === "reserved") open.set(record.callId, record);
    else {
      open.delete(record.callId);
      usage = addToUsage(usage, record);
    }
  });
  for (const call of open.values()) usage = addToUsage(usage, settledAsUnknown(call));
  return usage;
}
