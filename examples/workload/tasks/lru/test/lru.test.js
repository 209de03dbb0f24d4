import assert from "node:assert/strict";
import { test } from "node:test";
import { Lru } from "../src/lru.js";

test("it holds what was set", () => {
  const lru = new Lru(2);
  lru.set("a", 1);
  lru.set("b", undefined);
  assert.equal(lru.get("a"), 1);
  assert.equal(lru.get("b"), undefined);
  assert.equal(lru.has("b"), true);
  assert.equal(lru.get("c"), undefined);
  assert.equal(lru.size, 2);
});

test("the entry that was used longest ago makes room", () => {
  const lru = new Lru(2);
  lru.set("a", 1);
  lru.set("b", 2);
  lru.get("a");
  lru.set("c", 3);
  assert.deepEqual([lru.has("a"), lru.has("b"), lru.has("c")], [true, false, true]);
});

test("looking whether it is there uses nothing, setting it again does", () => {
  const lru = new Lru(2);
  lru.set("a", 1);
  lru.set("b", 2);
  lru.has("a");
  lru.set("c", 3);
  assert.equal(lru.has("a"), false);
  lru.set("b", 4);
  lru.set("d", 5);
  assert.deepEqual([lru.get("b"), lru.has("c")], [4, false]);
});

test("a limit of zero holds nothing, and a limit that is none is refused", () => {
  const lru = new Lru(0);
  lru.set("a", 1);
  assert.equal(lru.size, 0);
  for (const limit of [-1, 1.5, Number.NaN, "2"]) assert.throws(() => new Lru(limit), RangeError);
});
