/** The end of an output, for a message: so many lines, each cut, whatever came before forgotten. */
export class LastLines {
  readonly #count: number;
  #lines: string[] = [];
  constructor(count: number) {
    this.#count = count;
  }
  add(line: string): void {
    this.#lines.push(line.length > 500 ? `${line.slice(0, 500)}...` : line);
    if (this.#lines.length > this.#count) this.#lines.shift();
  }
  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }
  get text(): string {
    return this.#lines.join("\n");
  }
  /** The last line that says something. */
  get last(): string {
    return this.#lines.findLast((line) => line.trim() !== "") ?? "";
  }
}
