import type { Engines } from "./engines.ts";
import type { Keys, KeyState } from "./keys.ts";

/**
 * Keys whose engine is gone. Their agents may live, and another engine may take them over: they are kept until `KeySpec.until`, and `idleMs`
 * in any case.
 */
export class Orphans {
  readonly #options: { keys: Keys; engines: Engines; idleMs: number; close(key: KeyState): void };
  readonly #since = new Map<string, number>();

  constructor(options: { keys: Keys; engines: Engines; idleMs: number; close(key: KeyState): void }) {
    this.#options = options;
  }

  look(now: number): void {
    const { keys, engines, idleMs, close } = this.#options;
    for (const key of keys.all()) {
      if (engines.has(key.client)) {
        this.#since.delete(key.keyId);
        continue;
      }
      const since = this.#since.get(key.keyId) ?? now;
      this.#since.set(key.keyId, since);
      if (now < Math.max(key.spec.until ?? 0, since + idleMs)) continue;
      this.#since.delete(key.keyId);
      close(key);
    }
  }
}
