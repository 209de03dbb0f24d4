import { inspect } from "node:util";
import { createMasker, type Masker, type MaskStream } from "./masker.ts";

/**
 * The secrets of a process. Printing, inspecting or serialising it shows nothing; the values come out only through
 * `get` and `values`.
 */
export class SecretBox {
  readonly #byName: ReadonlyMap<string, string>;
  readonly #masked: ReadonlySet<string>;
  readonly #masker: Masker;

  /**
   * `byName`: everything that may be asked for, such as the whole environment. `masked`: the values to hide in output;
   * by default all of them.
   */
  constructor(byName: ReadonlyMap<string, string>, masked: Iterable<string> = byName.values()) {
    this.#byName = new Map(byName);
    this.#masked = new Set(masked);
    this.#masker = createMasker(this.#masked);
  }

  /** The value of a secret; `undefined` when there is none or it is empty. */
  get(name: string): string | undefined {
    return this.#byName.get(name) || undefined;
  }

  /** Every value that is hidden in output. */
  values(): string[] {
    return [...this.#masked];
  }

  /** The text with every known secret replaced by `***`. */
  mask(text: string): string {
    return this.#masker.mask(text);
  }

  /** The same for text that arrives in pieces. */
  stream(): MaskStream {
    return this.#masker.stream();
  }

  toString(): string {
    return "[SecretBox]";
  }

  toJSON(): string {
    return "[SecretBox]";
  }

  [inspect.custom](): string {
    return "[SecretBox]";
  }
}
