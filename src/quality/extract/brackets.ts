/** Whether the brackets of a JSON text are closed yet, line by line. Python's triple quotes count as quotes. */
export class Brackets {
  #depth = 0;
  #quote: '"' | '"""' | undefined;
  #began = false;

  get isClosed(): boolean {
    return this.#began && this.#depth <= 0 && this.#quote === undefined;
  }

  add(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const char = line[i];
      if (this.#quote !== undefined) {
        if (char === "\\") i += 1;
        else if (line.startsWith(this.#quote, i)) {
          i += this.#quote.length - 1;
          this.#quote = undefined;
        }
      } else if (char === '"') {
        this.#quote = line.startsWith('"""', i) ? '"""' : '"';
        i += this.#quote.length - 1;
      } else if (char === "[" || char === "{") {
        this.#depth += 1;
        this.#began = true;
      } else if (char === "]" || char === "}") this.#depth -= 1;
    }
  }
}
