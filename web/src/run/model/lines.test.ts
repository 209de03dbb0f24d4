import { expect, test } from "vitest";
import { countUntil, LogBuffer, plain, search, type LogLine } from "./log-buffer.ts";

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  attempt: "r/a#1",
  step: "a",
  n: 1,
  role: "agent",
  seq,
  at: seq,
  stream: "stdout",
  text,
});

test("a log keeps its latest lines and says how many went", () => {
  const log = new LogBuffer(100);
  for (let i = 0; i < 25; i++) log.add(Array.from({ length: 10 }, (_, k) => line(i * 10 + k)));
  expect(log.lines.length).toBeGreaterThanOrEqual(100);
  expect(log.lines.length).toBeLessThanOrEqual(105);
  expect(log.lines.at(-1)?.seq).toBe(249);
  expect(log.dropped + log.lines.length).toBe(250);
});

test("lines are found in either case, and the log as it was at a time is its beginning", () => {
  const lines = [line(1, "Error: no"), line(5, "fine"), line(9, "an ERROR again")];
  expect(search(lines, "error")).toEqual([0, 2]);
  expect(search(lines, "")).toEqual([]);
  expect(countUntil(lines, 0)).toBe(0);
  expect(countUntil(lines, 5)).toBe(2);
  expect(countUntil(lines, 99)).toBe(3);
});

test("colours for terminals are left out", () => {
  expect(plain("\u001b[31mred\u001b[0m and \u001b]8;;http://x\u0007link\r")).toBe("red and link");
});
