import { readFileSync } from "node:fs";
import { z } from "zod";
import { keyIdOf } from "./keys.ts";
import { writeWhole } from "./folder.ts";

/** How long after a start keys without an `until` are waited for: their engine lives, or nobody comes. */
const engineMs = 30_000;

const OpenKeys = z.array(z.object({ keyId: z.string(), until: z.number().optional() }));
type OpenKeyEntry = z.infer<typeof OpenKeys>[number];

/**
 * The keys that were open when the gateway before was killed, by the hashes it left on disk. What an agent asks with one of them is held until
 * its engine has opened it again: an answer that the key is unknown would end the agent's work.
 */
export class AwaitedKeys {
  readonly #path: string;
  readonly #awaited = new Map<string, number>();
  readonly #holds = new Map<string, Set<() => void>>();

  constructor(path: string, now: number) {
    this.#path = path;
    for (const { keyId, until } of readOpenKeys(path)) this.#awaited.set(keyId, Math.max(until ?? 0, now + engineMs));
  }

  has(key: string, now: number): boolean {
    return (this.#awaited.get(keyIdOf(key)) ?? 0) > now;
  }

  /** Resolves when the key was opened or closed, or after `patienceMs`. */
  settled(key: string, patienceMs: number): Promise<void> {
    const keyId = keyIdOf(key);
    const holds = this.#holds.get(keyId) ?? new Set();
    this.#holds.set(keyId, holds);
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        holds.delete(done);
        resolve();
      };
      const timer = setTimeout(done, patienceMs);
      holds.add(done);
    });
  }

  /** Its engine came: it was opened again, or closed for good. */
  came(key: string): void {
    const keyId = keyIdOf(key);
    this.#awaited.delete(keyId);
    for (const done of this.#holds.get(keyId) ?? []) done();
    this.#holds.delete(keyId);
  }

  /** Leaves word for the gateway after this one. Hashes only. */
  write(open: readonly OpenKeyEntry[], now: number): void {
    for (const [keyId, until] of this.#awaited) if (until <= now) this.#awaited.delete(keyId);
    const awaited = [...this.#awaited].map(([keyId, until]) => ({ keyId, until }));
    writeWhole(this.#path, JSON.stringify([...awaited, ...open] satisfies OpenKeyEntry[]));
  }
}

function readOpenKeys(path: string): OpenKeyEntry[] {
  try {
    return OpenKeys.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return [];
  }
}
