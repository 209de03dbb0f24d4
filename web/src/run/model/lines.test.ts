import { expect, test } from "vitest";
import { Finder, MOST_FOUND } from "./find.ts";
import { countUntil, LogBuffer, plain, type LogLine } from "./log-buffer.ts";
import { shownLine } from "./transcript.ts";
import { hasUnseen, visible } from "./visible.ts";

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

test("a few lines of great length do not fill the memory of the page: older ones go, and the newest is always there", () => {
  const log = new LogBuffer(1000, 10_000);
  for (let i = 0; i < 100; i++) log.add([line(i, "x".repeat(1000))]);
  expect(log.lines.length).toBeLessThanOrEqual(10);
  expect(log.dropped + log.lines.length).toBe(100);
  log.add([line(100, "y".repeat(50_000))]);
  expect(log.lines.map((l) => l.seq)).toEqual([100]);
});

test("what is searched is what is shown: not the JSON around it, nor its escapes", () => {
  const says = line(1, JSON.stringify({ type: "text", text: 'He said "hello"\nand went' }));
  const finder = new Finder(shownLine);
  expect(finder.find([says], 'said "hello"')).toEqual([0]);
  expect(finder.find([says], '"type"')).toEqual([]);
});

test("lines that came since the last search are searched, and the others not again", () => {
  const looked: number[] = [];
  const finder = new Finder<LogLine>((l) => {
    looked.push(l.seq);
    return l.text;
  });
  const lines = [line(1, "no"), line(2, "yes")];
  expect(finder.find(lines, "yes")).toEqual([1]);
  lines.push(line(3, "yes"));
  expect(finder.find(lines, "yes")).toEqual([1, 2]);
  expect(looked).toEqual([1, 2, 3]);
  expect(finder.find(lines, "no")).toEqual([0]);
  expect(finder.find([line(4, "no"), line(5, "no")], "no")).toEqual([0, 1]);
  const many = Array.from({ length: MOST_FOUND + 10 }, (_, i) => line(i, "yes"));
  expect(finder.find(many, "yes")).toHaveLength(MOST_FOUND);
});

test("characters that turn a line around, or that nobody sees, are shown by their numbers; those that scripts and emoji need are left", () => {
  expect(visible("if (admin) {\u202e // }")).toBe("if (admin) {⟨U+202E⟩ // }");
  expect(visible("a\u200bb\u0000c")).toBe("a⟨U+200B⟩b⟨U+0000⟩c");
  const fine = "tab\tand 👩‍💻 and می‌خواهم\r";
  expect([visible(fine), hasUnseen(fine), hasUnseen("\u2066"), hasUnseen("\u2066")]).toEqual([fine, false, true, true]);
});

test("lines are found in either case, and the log as it was at a time is its beginning", () => {
  const lines = [line(1, "Error: no"), line(5, "fine"), line(9, "an ERROR again")];
  const finder = new Finder(shownLine);
  expect(finder.find(lines, "error")).toEqual([0, 2]);
  expect(finder.find(lines, "")).toEqual([]);
  expect(countUntil(lines, 0)).toBe(0);
  expect(countUntil(lines, 5)).toBe(2);
  expect(countUntil(lines, 99)).toBe(3);
});

test("colours for terminals are left out", () => {
  expect(plain("\u001b[31mred\u001b[0m and \u001b]8;;http://x\u0007link\r")).toBe("red and link");
});
