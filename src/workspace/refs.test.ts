import { expect, test } from "vitest";
import { createGit, Slots, type Git } from "./git.ts";
import { RefWriter } from "./refs.ts";
import { Scratch } from "./scratch-project.testkit.ts";

test("refs that come at the same time are written by few processes, and one that cannot be written keeps no other from it", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const head = s.git(dir, "rev-parse", "HEAD");
  let processes = 0;
  const git = createGit({ env: s.env, flags: ["-C", dir], slots: new Slots(4) });
  const counted: Git = (args, options) => {
    processes += 1;
    return git(args, options);
  };
  const refs = new RefWriter(counted);
  await Promise.all(Array.from({ length: 20 }, (_, i) => refs.set(`refs/stepfall/many/${i}`, head)));
  expect(s.git(dir, "for-each-ref", "refs/stepfall/many").split("\n")).toHaveLength(20);
  expect(processes).toBeLessThanOrEqual(2);

  const ends = await Promise.allSettled([
    refs.set("refs/stepfall/good/1", head),
    refs.set("refs/stepfall/bad..name", head),
    refs.set("refs/stepfall/good/2", head),
  ]);
  expect(ends.map((e) => e.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(s.git(dir, "for-each-ref", "refs/stepfall/good").split("\n")).toHaveLength(2);
});
