/** A line as the server hands it out; see `stepfall logs --json`. */
export interface LogLine {
  attempt: string;
  step: string;
  n: number;
  role: string;
  seq: number;
  at: number;
  stream: string;
  text: string;
}

/** As many lines, and as many characters in them, as the page keeps; older ones go, and it is said. */
const MOST_LINES = 200_000;
const MOST_CHARACTERS = 64_000_000;

/** Lines of a log in the order of their coming, at most so many. The array is the same one for as long as nothing is let go. */
export class LogBuffer {
  #lines: LogLine[] = [];
  #characters = 0;
  #dropped = 0;
  readonly #most: number;
  readonly #mostCharacters: number;

  constructor(most: number = MOST_LINES, mostCharacters: number = MOST_CHARACTERS) {
    this.#most = most;
    this.#mostCharacters = mostCharacters;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Lines that came and were let go. */
  get dropped(): number {
    return this.#dropped;
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#characters += line.text.length;
    }
    // Not one by one: moving the rest each time a line comes would cost more than the lines.
    if (this.#lines.length <= this.#most * 1.05 && this.#characters <= this.#mostCharacters * 1.05) return;
    let over = 0;
    while (over < this.#lines.length - 1 && (this.#lines.length - over > this.#most || this.#characters > this.#mostCharacters))
      this.#characters -= this.#lines[over++]?.text.length ?? 0;
    this.#lines = this.#lines.slice(over);
    this.#dropped += over;
  }
}

/** How many of the first lines had been printed by then. Lines come in order of time, but for small differences between processes. */
export function countUntil(lines: readonly LogLine[], at: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Terminals' own words: colours, cursor moves, links, and single control characters but tab. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\-_]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** Without what only a terminal understands. */
export const plain = (text: string): string => (text.includes("\u001b") || text.includes("\r") ? text.replace(ESCAPES, "") : text);
