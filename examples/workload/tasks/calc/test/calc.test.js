import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CalcError, evaluate } from "../src/calc.js";

const values = {
  "1 + 2 * 3": 7,
  "(1 + 2) * 3": 9,
  "10 - 4 - 3": 3,
  "100 / 10 / 5": 2,
  "7 % 4 * 2": 6,
  "2^3^2": 512,
  "-2^2": -4,
  "2^-1": 0.5,
  "2*-3": -6,
  "--3": 3,
  "- -3 + +4": 7,
  ".5 + 1e3 - 2.5e-2": 1000.475,
  "min(3, max(1, 2), 4) + abs(-1)": 3,
  "sqrt(16)^2": 16,
};
for (const [text, value] of Object.entries(values)) test(`${text} is ${value}`, () => assert.equal(evaluate(text), value));

test("names stand for variables", () => {
  assert.equal(evaluate("price * (1 + tax_2)", { price: 200, tax_2: 0.5 }), 300);
  assert.equal(evaluate("e1", { e1: 4 }), 4);
});

const errors = {
  "": 1,
  "1 +": 4,
  "(1 + 2": 7,
  "1 + 2)": 6,
  "1 2": 3,
  "1 + $": 5,
  "2 * missing": 5,
  "min()": 5,
  "min(1,)": 7,
  "sqrt(1, 2)": 7,
  "nope(1)": 1,
  "4 / (2 - 2)": 3,
  "5 % 0": 3,
  "1.2.3": 4,
  "1e": 2,
  constructor: 1,
  "toString + 1": 1,
  "min + 1": 1,
};
for (const [text, column] of Object.entries(errors))
  test(`"${text}" is an error at column ${column}`, () =>
    assert.throws(
      () => evaluate(text, {}),
      (error) => error instanceof CalcError && error.column === column,
    ));

test("nothing of JavaScript is run", () => {
  const source = readFileSync(new URL("../src/calc.js", import.meta.url), "utf8");
  assert.doesNotMatch(source, /\beval\s*\(|\bFunction\s*\(|node:vm/);
});
