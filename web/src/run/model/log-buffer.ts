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

/** As many lines as the page keeps; older ones go, and it is said. */
export const MOST_LINES = 200_000;

/**
 * Lines of a log in the order of their coming, at most so many. Given to views as a snapshot that is made anew when something came: an array of
 * references, since copying texts is what costs.
 */
export class LogBuffer {
  #lines: LogLine[] = [];
  #dropped = 0;
  readonly #most: number;

  constructor(most: number = MOST_LINES) {
    this.#most = most;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Lines that came and were let go. */
  get dropped(): number {
    return this.#dropped;
  }

  add(lines: readonly LogLine[]): void {
    for (const line of lines) this.#lines.push(line);
    const over = this.#lines.length - this.#most;
    // Not one by one: moving the rest each time a line comes would cost more than the lines.
    if (over <= this.#most / 20) return;
    this.#lines = this.#lines.slice(over);
    this.#dropped += over;
  }
}

/** Where a text occurs among lines, in either case; at most so many. */
export function search(lines: readonly LogLine[], text: string, most = 10_000): number[] {
  const wanted = text.toLowerCase();
  if (wanted === "") return [];
  const found: number[] = [];
  for (let i = 0; i < lines.length && found.length < most; i++) if (lines[i]?.text.toLowerCase().includes(wanted)) found.push(i);
  return found;
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
