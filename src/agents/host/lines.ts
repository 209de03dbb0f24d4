import { StringDecoder } from "node:string_decoder";

/** Longest piece of a line, in UTF-16 units. */
export const PIECE = 64 * 1024;
/** How far past a cut is looked for a secret that the cut would split: longer than any key. */
const AHEAD = 8 * 1024;

export type Mask = (text: string) => string;

/**
 * Where a piece of an endless line may end: where masking the parts gives the same as masking the whole, so that no
 * secret is cut in two and slips through. `undefined`: nowhere near.
 */
function safeCut(text: string, masked: string, mask: Mask): number | undefined {
  for (let at = PIECE; at > PIECE / 2; at -= 509) {
    // Never between the halves of a surrogate pair.
    const code = text.charCodeAt(at - 1);
    const cut = code >= 0xd800 && code < 0xdc00 ? at - 1 : at;
    if (masked === text || mask(text.slice(0, cut)) + mask(text.slice(cut)) === masked) return cut;
  }
  return undefined;
}

/**
 * Turns the chunks of a stream into masked lines: without the newline, invalid UTF-8 replaced, characters cut between
 * chunks put together. Holds at most one piece and the chunk at hand.
 */
export class LineSplitter {
  readonly #mask: Mask;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  constructor(mask: Mask) {
    this.#mask = mask;
  }

  push(chunk: Buffer): string[] {
    const text = this.#decoder.write(chunk);
    const lines: string[] = [];
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.#add(text.slice(from, end), lines);
      this.#finishLine(lines);
      from = end + 1;
    }
    this.#add(text.slice(from), lines);
    return lines;
  }

  /** What came after the last newline. */
  end(): string[] {
    const lines: string[] = [];
    this.#add(this.#decoder.end(), lines);
    if (this.#rest !== "") this.#finishLine(lines);
    return lines;
  }

  #finishLine(lines: string[]): void {
    const line = this.#rest.endsWith("\r") ? this.#rest.slice(0, -1) : this.#rest;
    lines.push(this.#mask(line));
    this.#rest = "";
  }

  #add(text: string, lines: string[]): void {
    this.#rest += text;
    while (this.#rest.length >= PIECE + AHEAD) {
      const window = this.#rest.slice(0, PIECE + AHEAD);
      const masked = this.#mask(window);
      const cut = safeCut(window, masked, this.#mask);
      lines.push(cut === undefined ? masked : this.#mask(window.slice(0, cut)));
      this.#rest = this.#rest.slice(cut ?? window.length);
    }
  }
}
