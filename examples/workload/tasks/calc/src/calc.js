/** The value of an arithmetic expression. See README.md for what it may hold. */
export function evaluate(text, variables = {}) {
  throw new Error("not written yet");
}

export class CalcError extends Error {
  constructor(message, column) {
    super(`${message} at column ${column}`);
    this.name = "CalcError";
    this.column = column;
  }
}
