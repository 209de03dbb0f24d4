import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readInputs, readUsd } from "../overview/start-values.ts";
import { agoText, countText, durationText, percentText, projectNames, shellWord, visibleText } from "./say.ts";

describe("how figures are written", () => {
  test("durations and times get coarser the longer they are", () => {
    expect([0, 900, 4_200, 59_900, 60_000, 190_000, 7_500_000, 273_600_000].map(durationText)).toEqual([
      "0 ms",
      "900 ms",
      "4.2 s",
      "59 s",
      "1 min",
      "3 min 10 s",
      "2 h 5 min",
      "3 d 4 h",
    ]);
    expect(agoText(0, 1_000)).toBe("just now");
    expect(agoText(0, 200_000)).toBe("3 min ago");
    expect(agoText(7_300_000, 0)).toBe("in 2 h");
  });

  test("a share that is not nothing is never written as nothing, nor one that is not all as all", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (share) => {
        expect(percentText(share)).not.toBe("0 %");
        expect(percentText(share)).not.toBe("100 %");
      }),
    );
    expect([percentText(0), percentText(1), countText(1_234_567)]).toEqual(["0 %", "100 %", "1.2 M"]);
  });
});

describe("names and texts of others", () => {
  test("two projects of one name are told apart by the folders above", () => {
    const names = projectNames([{ path: "/home/ann/shop" }, { path: "/srv/shop" }, { path: "/srv/site" }, { path: "/" }]);
    expect([...names.values()]).toEqual(["ann/shop", "srv/shop", "site", "/"]);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 }).map((p) => `/${p.join("/")}`)),
        (paths) => {
          expect(new Set(projectNames(paths.map((path) => ({ path }))).values()).size).toBe(paths.length);
        },
      ),
    );
  });

  test("what turns the order of a text around, and what cannot be seen, is written out; other scripts and line ends stay", () => {
    expect(visibleText("rm \u202Efdsa\u2066 a\u200Bb\u001B[2J")).toBe("rm [U+202E]fdsa[U+2066] a[U+200B]b[U+001B][2J");
    expect(visibleText("línea\n\tدو 👩‍👩‍👧")).toBe("línea\n\tدو 👩‍👩‍👧");
  });

  test("a folder with blanks and quotes is one word of the shell", () => {
    expect([shellWord("/home/ann/x-1"), shellWord("/my home/it's")]).toEqual(["/home/ann/x-1", String.raw`'/my home/it'\''s'`]);
  });
});

describe("what is typed to start a run", () => {
  test("an input's value may hold an equals sign; a line without one is named", () => {
    expect(readInputs("a=1\n\n b = x=y ")).toEqual({ inputs: { a: "1", b: "x=y" } });
    expect(readInputs("oops").wrong).toContain("oops");
  });

  test("no budget is none, and one that cannot be read is told: it must not become no limit at all", () => {
    expect([readUsd(""), readUsd(" "), readUsd("2.5")]).toEqual([{}, {}, { budget: 2.5 }]);
    for (const senseless of ["-1", "0", "1,50", "5 dollars", "Infinity"]) expect(readUsd(senseless).wrong).toContain(senseless);
  });
});
