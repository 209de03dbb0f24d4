/** JSON to what the CEL library computes with, and back. Whole numbers are integers on both sides. */

const MOST_WORK = 1_000_000;
const CHARS_A_UNIT = 32;
const DEEPEST_VALUE = 100;

export class TooCostly extends Error {
  constructor() {
    super("it takes too much work, or its result is too large; let a command step compute it");
  }
}

/** Counts the work of one evaluation, in values made and characters copied. */
export class Meter {
  #left = MOST_WORK;

  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new TooCostly();
  }

  /** The whole of a value, parts that stand in it several times counted each time: so no value can grow without being paid. */
  charge(value: unknown, depth = 0): void {
    this.spend(1 + (typeof value === "string" ? Math.floor(value.length / CHARS_A_UNIT) : 0));
    if (typeof value !== "object" || value === null) return;
    if (depth > DEEPEST_VALUE) throw new TooCostly();
    if (Array.isArray(value)) for (const part of value) this.charge(part, depth + 1);
    else if (isPlain(value)) for (const part of Object.values(value)) this.charge(part, depth + 1);
  }
}

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

export function toCel(value: unknown, meter: Meter, depth = 0): unknown {
  meter.spend(1);
  if (depth > DEEPEST_VALUE) throw new TooCostly();
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => toCel(part, meter, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toCel(part, meter, depth + 1)]));
}

export function fromCel(value: unknown, meter: Meter, depth = 0): unknown {
  meter.spend(1);
  if (depth > DEEPEST_VALUE) throw new TooCostly();
  switch (typeof value) {
    case "bigint": {
      const number = Number(value);
      if (Number.isSafeInteger(number)) return number;
      throw new NotJson("the number is too large");
    }
    case "number":
      if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
      throw new NotJson("the result is not a finite number");
    case "string":
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((part) => fromCel(part, meter, depth + 1));
      if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fromCel(part, meter, depth + 1)]));
      throw new NotJson("the result is not text, a number, true or false, a list or a map");
    default:
      throw new NotJson("the result is not text, a number, true or false, a list or a map");
  }
}

class NotJson extends Error {
  readonly code = "not_json";
  readonly summary: string;
  constructor(summary: string) {
    super(summary);
    this.summary = summary;
  }
}
