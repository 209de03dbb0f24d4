const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 60;

interface Window {
  from: number;
  count: number;
  heldBack: number;
}

/** Lets so many lines of one event through in a minute; the first one after that says how many were held back. */
export class Flood {
  readonly #windows = new Map<string, Window>();

  pass(event: string, now: number): { ok: true; heldBack: number } | { ok: false } {
    const before = this.#windows.get(event);
    // A clock that was set back begins a window anew.
    if (!before || now - before.from >= WINDOW_MS || now < before.from) {
      this.#windows.set(event, { from: now, count: 1, heldBack: 0 });
      return { ok: true, heldBack: before?.heldBack ?? 0 };
    }
    if (before.count >= MOST_IN_WINDOW) {
      before.heldBack += 1;
      return { ok: false };
    }
    before.count += 1;
    return { ok: true, heldBack: 0 };
  }
}
