import { createHash } from "node:crypto";
import type { BudgetLimit, KeySpec, KeyUsage, Upstream } from "./contract.ts";
import type { UsageByKey } from "./key-usage.ts";
import { newSeals, type Seals } from "./translate/index.ts";

/** A call under way. */
export interface InFlight {
  abort(reason: string): void;
  /** Resolves when its settlement is on disk (or could not be written). */
  settled: Promise<void>;
}

/** An open key: what it may do and what it has done. */
export interface KeyState {
  readonly keyId: string;
  readonly key: string;
  spec: KeySpec;
  upstream: Upstream;
  budgetIds: readonly string[];
  /** The engine that opened it last. */
  client: string;
  inFlight: Set<InFlight>;
  /** A request that was still being read when the key was closed must not go out. */
  closed: boolean;
  /** Aborts with that: a call that is held ends. */
  readonly over: AbortController;
  /** What its upstreams want back word for word where calls are translated. */
  readonly seals: Seals;
  /** Over all gateways it was open at. */
  readonly usage: KeyUsage;
}

/** Names a key in records without giving it away. */
export const keyIdOf = (key: string): string => createHash("sha256").update(key).digest("hex").slice(0, 24);

/** Values that must never leave the gateway. */
export const secretsOf = (spec: KeySpec): string[] =>
  spec.upstreams.flatMap((u) => [...(u.apiKey ? [u.apiKey] : []), ...Object.values(u.headers ?? {})]);

/** Keys are looked up by their hash, so that the time a look-up takes tells nothing about them. */
export class Keys {
  readonly #open = new Map<string, KeyState>();
  readonly #usages: UsageByKey;

  constructor(usages: UsageByKey) {
    this.#usages = usages;
  }

  /** Opens it, or, where it is open, puts what is agreed now in place of what was. */
  add(key: string, client: string, spec: KeySpec): KeyState {
    const keyId = keyIdOf(key);
    const agreed = { spec, client, upstream: spec.upstreams[0], budgetIds: [...new Set(spec.budgets.map((b: BudgetLimit) => b.id))] };
    const found = this.#open.get(keyId);
    if (found) return Object.assign(found, agreed);
    const usages = this.#usages;
    if (spec.credentials === "pass-through") usages.of(keyId).credentials = "pass-through";
    const state: KeyState = {
      keyId,
      key,
      ...agreed,
      inFlight: new Set(),
      closed: false,
      over: new AbortController(),
      seals: newSeals(),
      get usage() {
        return usages.of(keyId);
      },
    };
    this.#open.set(keyId, state);
    return state;
  }

  find(key: string): KeyState | undefined {
    return this.#open.get(keyIdOf(key));
  }

  /** No call can begin with it any more. */
  remove(state: KeyState): void {
    state.closed = true;
    state.over.abort();
    this.#open.delete(state.keyId);
  }

  all(): KeyState[] {
    return [...this.#open.values()];
  }

  get size(): number {
    return this.#open.size;
  }
}
