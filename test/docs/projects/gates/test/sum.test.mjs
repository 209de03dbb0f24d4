import assert from "node:assert";
import { test } from "node:test";
import { sum } from "../sum.mjs";

test("sums are right", () => assert.equal(sum(2, 3), 5));
