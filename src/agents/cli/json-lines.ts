/** A host hands over lines in pieces of at least this many UTF-16 units, but for the last piece (see host/lines.ts). */
const SHORTEST_PIECE = 32 * 1024;
/** More than this is not put together: a transcript would not hold it either. */
const LONGEST_LINE = 32 * 1024 * 1024;

export type ReadLine = { kind: "event"; event: object } | { kind: "noise"; line: string };

/**
 * Finds the JSON objects in an agent's output. A line that came in pieces is put together again: an event that holds a whole
 * file easily has more than a piece. What is no object is noise, and none of it keeps a later event from being found.
 */
export class JsonLines {
  #held = "";

  push(text: string): ReadLine[] {
    if (this.#held !== "") {
      const whole = parse(this.#held + text);
      if (whole) return this.#take([{ kind: "event", event: whole }]);
      const alone = parse(text);
      if (alone)
        return this.#take([
          { kind: "noise", line: this.#held },
          { kind: "event", event: alone },
        ]);
      if (this.#held.length + text.length > LONGEST_LINE) return this.#take([{ kind: "noise", line: this.#held }]);
      if (text.length < SHORTEST_PIECE) return this.#take([{ kind: "noise", line: this.#held + text }]);
      this.#held += text;
      return [];
    }
    const event = parse(text);
    if (event) return [{ kind: "event", event }];
    if (text.length < SHORTEST_PIECE || !text.startsWith("{")) return [{ kind: "noise", line: text }];
    this.#held = text;
    return [];
  }

  /** What was still waited for when the output ended. */
  end(): ReadLine[] {
    return this.#held === "" ? [] : this.#take([{ kind: "noise", line: this.#held }]);
  }

  #take(lines: ReadLine[]): ReadLine[] {
    this.#held = "";
    return lines;
  }
}

function parse(text: string): object | undefined {
  if (!text.startsWith("{") || !text.trimEnd().endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}
