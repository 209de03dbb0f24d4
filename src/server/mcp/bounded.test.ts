import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, gist, slice } from "./bounded.ts";

const text = fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("\n", "😀", "a"))).map((parts) => parts.join(""));

test("the parts of a text, read one after the other, are the text, and none is too long or empty", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 40 }), (whole, most) => {
      const parts: string[] = [];
      for (let from: number | undefined = 0; from !== undefined;) {
        const part = slice(whole, from, most);
        parts.push(part.text);
        from = part.next;
      }
      expect(parts.join("")).toBe(whole);
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(most);
        if (whole !== "") expect(part).not.toBe("");
      }
    }),
  );
});

test("what is cut says how much is missing and how to get it, and never halves a character", () => {
  expect(cut("short", 10)).toBe("short");
  expect(cut("0123456789", 4, "ask for more")).toBe("0123\n[6 more characters left out: ask for more]");
  expect(cut("abc😀def", 4)).toBe("abc\n[5 more characters left out]");
  expect(gist("two\n  lines", 100)).toBe("two lines");
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 40 }), (whole, most) => {
      expect(gist(whole, most).length).toBeLessThanOrEqual(most);
    }),
  );
});
