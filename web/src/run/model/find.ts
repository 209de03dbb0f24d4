/** More places than this are not looked for. */
export const MOST_FOUND = 10_000;

/**
 * Where a text occurs among texts, in either case. Asked again for more texts of the same list, it looks only at those that came since: a log that
 * goes on is not searched from its beginning for each line.
 */
export class Finder<T> {
  readonly #textOf: (item: T) => string;
  #items: readonly T[] = [];
  #wanted = "";
  #looked = 0;
  #found: number[] = [];

  constructor(textOf: (item: T) => string) {
    this.#textOf = textOf;
  }

  /** The indexes of those that hold it, at most MOST_FOUND. */
  find(items: readonly T[], text: string): readonly number[] {
    const wanted = text.toLowerCase();
    if (items !== this.#items || wanted !== this.#wanted || items.length < this.#looked) {
      this.#items = items;
      this.#wanted = wanted;
      this.#looked = 0;
      this.#found = [];
    }
    if (wanted === "") return this.#found;
    for (; this.#looked < items.length && this.#found.length < MOST_FOUND; this.#looked++) {
      const item = items[this.#looked];
      if (item !== undefined && this.#textOf(item).toLowerCase().includes(wanted)) this.#found.push(this.#looked);
    }
    return this.#found;
  }
}
