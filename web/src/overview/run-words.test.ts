import { expect, test } from "vitest";
import { waitedForPeople } from "./run-words.ts";

test("a run that waits for people alone waits on after it was read; one that does something, or is over, does not", () => {
  const run = { waitedForPeopleMs: 500 };
  const at = (more: Parameters<typeof waitedForPeople>[0]): number => waitedForPeople(more, 1_000, 3_000);
  expect(at({ ...run, status: "waiting" })).toBe(2_500);
  expect(at({ ...run, status: "budget", queue: { running: 0, queued: 0 } })).toBe(2_500);
  expect(at({ ...run, status: "budget", queue: { running: 1, queued: 0 } })).toBe(500);
  expect(at({ ...run, status: "running" })).toBe(500);
  expect(at({ ...run, status: "succeeded" })).toBe(500);
  // The clock of the page may be behind that of the answer.
  expect(waitedForPeople({ ...run, status: "waiting" }, 3_000, 1_000)).toBe(500);
});
