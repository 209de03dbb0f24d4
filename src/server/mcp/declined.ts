/** Items that the client's person did not want to decide when asked: they are not asked again by themselves. */
export class Declined {
  readonly #items = new Set<string>();

  has(item: string): boolean {
    return this.#items.has(item);
  }

  add(item: string): void {
    this.#items.add(item);
    // The oldest goes: an item that has waited behind so many others may be asked again.
    const [first] = this.#items;
    if (this.#items.size > 1000 && first !== undefined) this.#items.delete(first);
  }
}
