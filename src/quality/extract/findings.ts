import { shorten, type Edit, type Extraction, type ExtractOptions, type Unplaced } from "./contract.ts";
import { placePath } from "./paths.ts";

/** What was found in a reply so far. Every path goes through here, so that none leaves the tree. */
export class Findings {
  readonly has: ExtractOptions["has"];
  /** Of the last edit or SEARCH/REPLACE block: a block without a path of its own goes on with it. */
  lastPath: string | undefined;
  #found: Extraction = { edits: [], refused: [], unplaced: [] };

  constructor(has: ExtractOptions["has"]) {
    this.has = has;
  }

  /** Hands out what was found since the last call. */
  take(): Extraction {
    const found = this.#found;
    this.#found = { edits: [], refused: [], unplaced: [] };
    return found;
  }

  edit(raw: string, line: number, make: (path: string) => Edit): void {
    const path = this.place(raw, line);
    if (path === undefined) return;
    this.#found.edits.push(make(path));
    this.lastPath = path;
  }

  /** The path to use, or undefined after it was refused. */
  place(raw: string, line: number): string | undefined {
    const placed = placePath(raw);
    if (placed.ok) return placed.path;
    this.#found.refused.push({ path: raw, reason: placed.reason, line });
    return undefined;
  }

  broken(line: number, why: string, excerpt: string, path?: string): void {
    this.#unplaced("broken", line, why, excerpt, path);
  }

  snippet(line: number, why: string, excerpt: string, path?: string): void {
    this.#unplaced("snippet", line, why, excerpt, path);
  }

  #unplaced(kind: Unplaced["kind"], line: number, why: string, excerpt: string, raw?: string): void {
    const placed = raw === undefined ? undefined : placePath(raw);
    // A path that is refused is that first of all.
    if (raw !== undefined && placed && !placed.ok) this.#found.refused.push({ path: raw, reason: placed.reason, line });
    this.#found.unplaced.push({ kind, line, why, excerpt: shorten(excerpt), ...(placed?.ok ? { path: placed.path } : {}) });
  }
}
