import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";
import { mapLimit } from "../src/map-limit.js";

const some = async (n) => {
  for (let i = 0; i < n; i++) await soon();
};

test("results come in the order of the items, whoever is first", async () => {
  assert.deepEqual(await mapLimit([5, 1, 3], 3, async (n, i) => (await some(n), `${i}:${n}`)), ["0:5", "1:1", "2:3"]);
  assert.deepEqual(await mapLimit([], 2, async () => 1), []);
});

test("never more than the limit at a time, and never fewer than could be", async () => {
  let now = 0;
  const seen = [];
  await mapLimit(Array.from({ length: 12 }), 3, async () => {
    seen.push(++now);
    await some(3);
    now -= 1;
  });
  assert.equal(Math.max(...seen), 3);
});

test("items may come one by one, and are not asked for before there is room", async () => {
  let asked = 0;
  let begun = 0;
  function* items() {
    for (let i = 0; i < 6; i++) {
      asked += 1;
      assert.ok(asked <= begun + 1, "an item was asked for too early");
      yield i;
    }
  }
  const results = await mapLimit(items(), 2, async (i) => ((begun += 1), await some(2), i * i));
  assert.deepEqual(results, [0, 1, 4, 9, 16, 25]);
});

test("after a failure nothing begins, what runs is told and waited for, and the first failure is the answer", async () => {
  const begun = [];
  const ended = [];
  const told = [];
  const failing = mapLimit([0, 1, 2, 3, 4], 2, async (item, _, signal) => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await some(5);
    told.push(signal.aborted);
    ended.push(item);
    throw new Error("second");
  });
  await assert.rejects(failing, /first/);
  assert.deepEqual([begun, ended, told], [[0, 1], [0], [true]]);
});

test("work that throws at once is a failure like others, and a limit that is none is refused", async () => {
  const atOnce = () => {
    throw new Error("at once");
  };
  await assert.rejects(mapLimit([1], 1, atOnce), /at once/);
  for (const limit of [0, -1, 1.5, Number.NaN]) await assert.rejects(mapLimit([1], limit, async () => 1), RangeError);
});
