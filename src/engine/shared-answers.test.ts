import { expect, test } from "vitest";
import { sharedAnswer } from "./shared-answers.ts";

const always = (): boolean => true;

test("many ask at once, and it is computed once; for another key, or another owner, again", async () => {
  const [owner, other] = [{}, {}];
  let computed = 0;
  const ask = (of: object, key: string): Promise<number> =>
    sharedAnswer(of, key, async () => (await Promise.resolve(), (computed += 1)), always);
  expect(await Promise.all([ask(owner, "a"), ask(owner, "a"), ask(owner, "a")])).toEqual([1, 1, 1]);
  expect(await ask(owner, "a")).toBe(1);
  expect([await ask(owner, "b"), await ask(other, "a")]).toEqual([2, 3]);
});

test("one that was stopped is nobody else's answer: of those who waited one begins again, and the others wait for that", async () => {
  const owner = {};
  const answers = ["stopped", "whole", "never"];
  const ask = (): Promise<string> =>
    sharedAnswer(
      owner,
      "a",
      async () => (await Promise.resolve(), answers.shift() ?? ""),
      (value) => value !== "stopped",
    );
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["stopped", "whole", "whole"]);
  expect(await ask()).toBe("whole");
  expect(answers).toEqual(["never"]);
});

test("one that failed is told to its asker alone", async () => {
  const owner = {};
  const works = [() => Promise.reject(new Error("no disk")), () => Promise.resolve("whole")];
  const ask = (): Promise<string> => sharedAnswer<string>(owner, "a", () => (works.shift() ?? (() => Promise.resolve("")))(), always);
  expect(await Promise.allSettled([ask(), ask()])).toMatchObject([{ status: "rejected" }, { value: "whole" }]);
});
