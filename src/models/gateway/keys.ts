import { createHash, randomBytes } from "node:crypto";
import type { BudgetLimit, KeySpec, KeyUsage, Upstream } from "./contract.ts";
import type { SettledCall } from "./spool.ts";
import { addToUsage, emptyUsage } from "./key-usage.ts";

/** A call under way. */
export interface InFlight {
  abort(reason: string): void;
  /** Resolves when its settlement is on disk (or could not be written). */
  settled: Promise<void>;
}

/** An open key: what it may do and what it has done. */
export interface KeyState {
  keyId: string;
  spec: KeySpec;
  upstream: Upstream;
  budgetIds: readonly string[];
  inFlight: Set<InFlight>;
  /** A request that was still being read when the key was closed must not go out. */
  closed: boolean;
  usage: KeyUsage;
}

/** Names a key in records without giving it away. */
export const keyIdOf = (key: string): string => createHash("sha256").update(key).digest("hex").slice(0, 24);

/** Values that must never leave the gateway. */
export const secretsOf = (spec: KeySpec): string[] =>
  spec.upstreams.flatMap((u) => [...(u.apiKey ? [u.apiKey] : []), ...Object.values(u.headers ?? {})]);

/** Keys are looked up by their hash, so that the time a look-up takes tells nothing about them. */
export class Keys {
  readonly #open = new Map<string, KeyState>();

  add(spec: KeySpec): { key: string; state: KeyState } {
    const key = `sf-${randomBytes(24).toString("base64url")}`;
    const keyId = keyIdOf(key);
    const budgetIds = [...new Set(spec.budgets.map((b: BudgetLimit) => b.id))];
    const state: KeyState = {
      keyId,
      spec,
      upstream: spec.upstreams[0],
      budgetIds,
      inFlight: new Set(),
      closed: false,
      usage: { ...emptyUsage(), ...(spec.credentials === "pass-through" && { credentials: "pass-through" as const }) },
    };
    this.#open.set(keyId, state);
    return { key, state };
  }

  find(key: string): KeyState | undefined {
    return this.#open.get(keyIdOf(key));
  }

  /** No call can begin with it any more. */
  remove(state: KeyState): void {
    state.closed = true;
    this.#open.delete(state.keyId);
  }

  all(): Iterable<KeyState> {
    return this.#open.values();
  }

  get size(): number {
    return this.#open.size;
  }
}

export function recordUsage(state: KeyState, call: SettledCall): void {
  state.usage = addToUsage(state.usage, call);
}
