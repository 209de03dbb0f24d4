import assert from "node:assert/strict";
import { test } from "node:test";
import { total } from "../src/cart.js";

test("an empty cart costs nothing", () => {
  assert.equal(total([]), 0);
});

test("an item without a quantity counts once", () => {
  assert.equal(total([{ price: 250 }, { price: 100 }]), 350);
});

test("quantities count", () => {
  assert.equal(total([{ price: 250, quantity: 2 }, { price: 100 }]), 600);
});

test("a discount is taken off the whole", () => {
  assert.equal(total([{ price: 999, quantity: 3 }], 10), 2697);
});
