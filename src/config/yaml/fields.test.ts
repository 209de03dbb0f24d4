import fc from "fast-check";
import { expect, test } from "vitest";
import { Dollars, parseDuration, pathFault } from "./fields.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["10m", 600_000],
  ["2h", 7_200_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
  [" 3s ", 3000],
  [90, 90_000],
  [0.5, 500],
])("%j is a duration of %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(["", "30", "10 min", "10min", "-5s", "5S", "1e3s", "s", "1m2", -1, Number.NaN, Number.POSITIVE_INFINITY])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test("money is rounded to whole micro-dollars and never loses its sign or all of itself", () => {
  expect(["$0.50", "12", 0.1, 0, 0.000001].map((v) => Dollars.parse(v))).toEqual([500_000, 12_000_000, 100_000, 0, 1]);
  for (const bad of [-0.01, "-1", "0.5 USD", "abc", "", 1e-9, 1e12, null, {}]) expect(Dollars.safeParse(bad).success).toBe(false);
});

test.each(["src/a.ts", "src/**", "*.{js,ts}", "a..b/c", ".env", ".github/x", "docs/[ab].md", "a b.md"])(
  "%s is a glob inside the project",
  (glob) => {
    expect(pathFault(glob, "glob")).toBeUndefined();
  },
);

test.each([
  "",
  "/etc/passwd",
  "../x",
  "a/../../x",
  "a/..",
  "~/x",
  "~root",
  "C:\\x",
  "a\\b",
  ".git/config",
  ".git",
  "a[",
  "!x",
  "a\nb",
  "{../x,y}",
  "@(..|x)/y",
])("%j is refused", (glob) => {
  expect(pathFault(glob, "glob")).toBeDefined();
});

test("a path names one file: no globs, no folder", () => {
  expect(["a/b.json", "a/*.json", "a/"].map((p) => pathFault(p, "path") === undefined)).toEqual([true, false, false]);
});

test("any text at all is a path or has a fault", () => {
  fc.assert(fc.property(fc.string(), (text) => void pathFault(text, "glob")));
});
