import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { fewAtATime } from "./few-at-a-time.ts";

test("only so many begin at a time, in the order in which they came; one that fails gives its place on, and each hears of its own", async () => {
  const turn = fewAtATime(3);
  let busy = 0;
  let most = 0;
  const begun: number[] = [];
  const one = (n: number) =>
    turn(async () => {
      begun.push(n);
      most = Math.max(most, ++busy);
      await sleep(n % 4);
      busy -= 1;
      if (n % 5 === 0) throw new Error(`no ${n}`);
      return n;
    }).catch((error: unknown) => (error as Error).message);
  const numbers = Array.from({ length: 40 }, (_, n) => n);
  expect(await Promise.all(numbers.map(one))).toEqual(numbers.map((n) => (n % 5 === 0 ? `no ${n}` : n)));
  expect(most).toBe(3);
  expect(begun).toEqual(numbers);
  // All places are free again.
  most = 0;
  await Promise.all([1, 2, 3, 6].map(one));
  expect(most).toBe(3);
});
