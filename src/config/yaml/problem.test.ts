import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";
import { formatProblems, inOrder, type Problem } from "./problem.ts";

const problem = (line: number, col: number, more: Partial<Problem> = {}): Problem => ({
  code: "BAD",
  file: "f.yaml",
  line,
  col,
  message: "It is bad",
  hint: "Mend it",
  ...more,
});

test("a problem is shown with its line and a caret under the column", () => {
  expect(formatProblems([problem(2, 4)], "a: 1\nb: 2\n")).toBe("f.yaml:2:4 BAD: It is bad. Mend it.\n  2 | b: 2\n         ^");
  expect(formatProblems([problem(0, 0)])).toBe("f.yaml BAD: It is bad. Mend it.");
});

test("one screen: ten problems, then how many more", () => {
  const text = formatProblems(Array.from({ length: 25 }, (_, i) => problem(i + 1, 1)));
  expect(text.split("\n").length).toBe(11);
  expect(text.endsWith("... and 15 more")).toBe(true);
});

test("a long line is cut around the column", () => {
  const text = `${"x".repeat(500)}HERE${"y".repeat(500)}`;
  const [, line = "", caret = ""] = formatProblems([problem(1, 501)], text).split("\n");
  expect(line.length).toBeLessThan(120);
  expect(line.slice(caret.length - 1)).toMatch(/^HERE/);
});

test("nothing of a file can move the cursor or hide text", () => {
  const shown = formatProblems([problem(1, 1, { file: "a\x1b[2Jb" })], "a\x1b[31m\u202eb");
  expect(shown).not.toMatch(/[[\p{Cc}\p{Cf}]--[\n]]/v);
});

test("a line with a secret is not repeated, even for another problem on it", () => {
  const text = "env: { API_KEY: hunter22 }\napi-key: hunter22";
  const shown = formatProblems([problem(1, 1), problem(1, 8, { code: "LITERAL_SECRET" }), problem(2, 1)], text);
  expect(shown).not.toContain("hunter22");
});

test("problems come by place, each once", () => {
  expect(inOrder([problem(3, 1), problem(1, 5), problem(1, 2), problem(3, 1)]).map((p) => `${p.line}:${p.col}`)).toEqual([
    "1:2",
    "1:5",
    "3:1",
  ]);
});

test("the nearest word is one a person may have meant", () => {
  const keys = ["needs", "outputs", "on-failure", "timeout"];
  expect(["neds", "Outputs", "on_failure", "onFailure", "time-out", "xyz", "n"].map((w) => nearest(w, keys))).toEqual([
    "needs",
    "outputs",
    "on-failure",
    "on-failure",
    "timeout",
    undefined,
    undefined,
  ]);
});
