import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../src/duration.js";

test("one unit", () => {
  assert.equal(parseDuration("90s"), 90);
  assert.equal(parseDuration("15m"), 900);
});

test("several units add up", () => {
  assert.equal(parseDuration("1h30m"), 5400);
  assert.equal(parseDuration("2h0m5s"), 7205);
});

test("what follows is not ignored", () => {
  for (const text of ["", "5", "5x", "5m ", "m5", "5m3"]) assert.throws(() => parseDuration(text), RangeError, text);
});
