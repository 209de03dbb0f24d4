import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../domain/index.ts";

/** Below what most clients wait for an answer. */
const PATIENCE_MS = 45_000;
/** A run that nobody was told of is remembered so long. */
const KEEP_MS = 600_000;

interface Start {
  run: Promise<{ runId: string }>;
  at: number;
}

/**
 * Runs that are being started. Their agents are started first, which may take longer than a client waits: one that gave its call up, and makes it once
 * more in the same words, gets that run and not a second.
 */
export class Starts {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** Those that nobody has been told of. */
  readonly #untold = new Map<string, Start>();

  constructor(clock: Clock, patienceMs = PATIENCE_MS) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** `undefined`: it takes long; the same call again waits on. Rejects with what refused it. */
  async join(words: string, start: () => Promise<{ runId: string }>, signal: AbortSignal): Promise<{ runId: string } | undefined> {
    const now = this.#clock.now();
    for (const [name, { at }] of this.#untold) if (now - at > KEEP_MS) this.#untold.delete(name);
    const begun = this.#untold.get(words) ?? this.#begin(words, start, now);
    const ended = new AbortController();
    try {
      const until = AbortSignal.any([signal, ended.signal]);
      const run = await Promise.race([begun.run, delay(this.#patienceMs, undefined, { signal: until })]);
      if (run && !signal.aborted && this.#untold.get(words) === begun) this.#untold.delete(words);
      return run;
    } finally {
      ended.abort();
    }
  }

  #begin(words: string, start: () => Promise<{ runId: string }>, at: number): Start {
    const begun = { run: start(), at };
    this.#untold.set(words, begun);
    // What was refused may be corrected: the same words are another start then.
    begun.run.catch(() => {
      if (this.#untold.get(words) === begun) this.#untold.delete(words);
    });
    return begun;
  }
}
