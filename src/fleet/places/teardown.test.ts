import { expect, test } from "vitest";
import { tearDown, type TeardownEnd } from "../index.ts";

const ends = (code: number, tail = ""): TeardownEnd => ({ kind: "exited", code, tail });

test("every command is run, also after one that failed, and each failure is a notice", async () => {
  const run: string[] = [];
  const notices = await tearDown(["dropdb x", "docker compose down", "rm -f lock"], async (command) => {
    run.push(command);
    if (command === "dropdb x") return ends(2, "no such database\n");
    if (command === "rm -f lock") throw new Error("the transcript cannot be written");
    return ends(0, "fine");
  });
  expect(run).toEqual(["dropdb x", "docker compose down", "rm -f lock"]);
  expect(notices).toEqual([
    "teardown `dropdb x` exits 2\nno such database",
    "teardown `rm -f lock` could not be run: the transcript cannot be written",
  ]);
});

test("each command gets its own short time, and all together no more than their limit", async () => {
  const given: number[] = [];
  let now = 0;
  const notices = await tearDown(
    ["a", "b", "c"],
    async (_, timeoutMs) => {
      given.push(timeoutMs);
      now += timeoutMs;
      return { kind: "deadline", tail: "" };
    },
    { now: () => now },
  );
  expect(given).toEqual([30_000, 30_000]);
  expect(notices).toEqual([
    "teardown `a` did not end within 30 s",
    "teardown `b` did not end within 30 s",
    "teardown `c` was not run: those before it took 60 s",
  ]);
});
