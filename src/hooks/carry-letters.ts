import { setTimeout as sleep } from "node:timers/promises";
import type { Log, LogMore } from "../logs/index.ts";
import { pauseBefore } from "./backoff.ts";
import { callHook } from "./call.ts";
import type { CallingWith, Letter } from "./contract.ts";
import type { Letters } from "./letters.ts";

/** Until a hook is looked at again whose letters this process could not keep up to date. */
const AFTER_FAULT_MS = 5000;
/** Letters of one hook that are kept of those that nobody delivers. */
const MOST_DEAD = 1000;

export interface CarrierOptions {
  letters: Letters;
  world: CallingWith;
  log: Log;
  /** For the person, at the end. */
  notice: (text: string) => void;
  /** A hook has no more of the letters that it was begun with. */
  onIdle: () => void;
  /** Of one hook; default 1,000. */
  mostDead?: number | undefined;
}

/**
 * Carries letters out. Those of one hook go one after the other, in the order of the journal; while one is tried again the others wait, and once a hook
 * is given up on, each further letter has one try until one arrives.
 */
export class LetterCarrier {
  readonly #options: CarrierOptions;
  readonly #letters: Letters;
  readonly #log: Log;
  readonly #busy = new Map<string, Promise<void>>();
  /** Hooks that were given up on. */
  readonly #down = new Set<string>();
  /** Letters that this process cannot deliver, and their hook. */
  readonly #unable = new Map<string, string>();
  /** Letters that have arrived and whose file could not be removed. */
  readonly #arrived = new Set<string>();

  constructor(options: CarrierOptions) {
    this.#options = options;
    this.#letters = options.letters;
    this.#log = options.log;
  }

  get isBusy(): boolean {
    return this.#busy.size > 0;
  }

  /** Those that wait, and that this process can deliver as far as it knows. */
  waiting(): Letter[] {
    return this.#letters.list("pending").filter(({ id }) => !this.#unable.has(id));
  }

  /** Until what was begun is over. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Begins with what waits, where nobody carries letters of the same hook; `signal` ends it. */
  carry(signal: AbortSignal): void {
    for (const [key, letters] of Map.groupBy(this.#letters.list("pending"), (l) => l.key)) {
      if (this.#busy.has(key)) continue;
      const work = this.#carryAll(letters, signal)
        // What comes of a letter is in its file. Where that cannot be written the same letter would go out at once again.
        .catch(async (error: unknown) => {
          this.#options.notice(`hooks: ${error instanceof Error ? error.message : String(error)}`);
          this.#log.error("hooks-letter-unwritten", "what became of a delivery could not be written down", { error });
          await sleep(AFTER_FAULT_MS, undefined, { signal }).catch(() => undefined);
        })
        .finally(() => {
          this.#busy.delete(key);
          this.#options.onIdle();
        });
      this.#busy.set(key, work);
    }
  }

  async #carryAll(letters: readonly Letter[], held: AbortSignal): Promise<void> {
    for (const letter of letters) {
      if (held.aborted || this.#unable.has(letter.id)) continue;
      if (this.#arrived.has(letter.id)) this.#remove(letter);
      else await this.#carryOne(letter, held);
    }
  }

  async #carryOne(first: Letter, held: AbortSignal): Promise<void> {
    const { world } = this.#options;
    const { callee, payload, project } = first;
    for (let letter = first; ;) {
      const called = await callHook({ callee, payload, project, signal: held }, world);
      if (called.kind === "answered" && called.code === 0) {
        this.#down.delete(letter.key);
        return this.#remove(letter);
      }
      if (held.aborted) return;
      if (called.kind === "unable") return this.#leave(letter, called.detail);
      const lastError = called.kind === "failed" ? called.detail : `exit code ${called.code}${called.body && `: ${called.body}`}`;
      letter = { ...letter, tries: letter.tries + 1, lastError };
      this.#log.info("hook-failed", `hook ${callee.name}: ${lastError}`, aboutOf(letter));
      if (letter.tries > callee.retries || this.#down.has(letter.key)) return this.#giveUp(letter);
      this.#letters.update(letter);
      await sleep(pauseBefore({ backoffMs: callee.backoffMs, tries: letter.tries }), undefined, { signal: held }).catch(() => undefined);
      if (held.aborted) return;
    }
  }

  #remove(letter: Letter): void {
    this.#arrived.add(letter.id);
    this.#letters.delivered(letter);
    this.#arrived.delete(letter.id);
  }

  /** To a process that can; given up on where too many wait for one already. */
  #leave(letter: Letter, why: string): void {
    const { callee, key, id } = letter;
    if (callee.call.kind === "desktop") {
      // Nobody sits at this machine: there is nothing to try again.
      if (!this.#down.has(key)) this.#say("hook-unable", `hook ${callee.name}: ${why}`, letter);
      this.#down.add(key);
      return this.#remove(letter);
    }
    this.#log.warn("hook-unable", `hook ${callee.name}: ${why}`, aboutOf(letter));
    this.#unable.set(id, key);
    const mostDead = this.#options.mostDead ?? MOST_DEAD;
    const sameHook = [...this.#unable].filter(([, k]) => k === key).length;
    if (sameHook <= mostDead) return this.#letters.update({ ...letter, lastError: why });
    this.#unable.delete(id);
    return this.#giveUp({ ...letter, lastError: why });
  }

  #giveUp(letter: Letter): void {
    const { callee, key, tries, payload, lastError = "" } = letter;
    const mostDead = this.#options.mostDead ?? MOST_DEAD;
    const gone = this.#letters.giveUp(letter, mostDead);
    if (!this.#down.has(key)) {
      const what = `${payload.event.type} was not delivered after ${tries} ${tries === 1 ? "try" : "tries"}`;
      this.#say("hook-gave-up", `hook ${callee.name}: ${what}: ${lastError.split("\n")[0] ?? ""}`, letter);
    }
    this.#down.add(key);
    if (gone > 0)
      this.#say(
        "hook-letters-gone",
        `hook ${callee.name}: more than ${mostDead} deliveries have failed; the oldest are kept no longer`,
        letter,
      );
  }

  /** To the person, at the end, and to the log. */
  #say(event: string, text: string, letter: Letter): void {
    this.#options.notice(text);
    this.#log.warn(event, text, aboutOf(letter));
  }
}

const aboutOf = ({ runId, id, tries, callee, payload }: Letter): LogMore => ({
  run: runId,
  step: payload.step?.path,
  data: { letter: id, hook: callee.name, event: payload.event.type, tries },
});
