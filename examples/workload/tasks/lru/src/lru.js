/** Keeps the `limit` entries that were used last. `get` and `set` use an entry; `has` does not. */
export class Lru {
  constructor(limit) {
    this.limit = limit;
  }
}
