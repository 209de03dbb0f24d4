import type { Input } from "./folder.ts";

/**
 * An executor that is run again from its beginning on what its process has said: it gets the lines in the order in which it once
 * got them between its own inputs, and what it sends is not sent again. A line that came after an input was given is held back
 * until the input is repeated; so the answers to a request are not read before the request is made.
 */
export class Replay {
  readonly #open: Input[];
  #changed = Promise.withResolvers<void>();

  constructor(inputs: readonly Input[]) {
    this.#open = [...inputs];
  }

  /** Whether this very text was sent before and not repeated yet. */
  takes(text: string): boolean {
    const at = this.#open.findIndex((input) => input.text === text);
    if (at < 0) return false;
    this.#open.splice(at, 1);
    this.#notify();
    return true;
  }

  mayPass(seq: number): boolean {
    return this.#open.every((input) => seq <= input.seen);
  }

  /** Resolves when `mayPass` may have another answer. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** The executor does not repeat what is open: it once sent that for a reason that is not there any more. Lines pass; texts stay taken. */
  holdNothing(): void {
    for (const input of this.#open) input.seen = Number.MAX_SAFE_INTEGER;
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
