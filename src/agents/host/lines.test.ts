import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter, PIECE } from "./lines.ts";
import { folderOf } from "./record.ts";
import { parsePs, parseStat } from "./table.ts";

const SECRET = "sk-secret-0123456789";
const mask = (text: string) => text.replaceAll(SECRET, "***");

function split(chunks: readonly Buffer[], masked: (text: string) => string = (text) => text): string[] {
  const splitter = new LineSplitter(masked);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

function cutAt(buffer: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [0, ...cuts.map((cut) => cut % (buffer.length + 1)).toSorted((a, b) => a - b), buffer.length];
  return points.slice(1).map((end, index) => buffer.subarray(points[index], end));
}

describe("output becomes lines", () => {
  test("however it is cut into chunks, the lines are the same", () => {
    const line = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, ""));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.array(fc.nat(2000), { maxLength: 20 }), (lines, cuts) => {
        const valid = lines.map((text) => text.toWellFormed());
        expect(split(cutAt(Buffer.from(valid.map((text) => `${text}\n`).join("")), cuts))).toEqual(valid);
      }),
    );
  });

  test("invalid UTF-8 is replaced, a Windows line end is taken off, a last line needs no newline", () => {
    expect(split([Buffer.from([0x61, 0xff, 0x62, 0x0d, 0x0a, 0xc3])])).toEqual(["a\uFFFDb", "\uFFFD"]);
    expect(split([Buffer.from("\n\n")])).toEqual(["", ""]);
  });

  test("a secret is masked wherever chunks and pieces of an endless line cut it", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constant(SECRET),
            fc.integer({ min: 1, max: PIECE }).map((n) => "é".repeat(n)),
          ),
          { maxLength: 12 },
        ),
        fc.array(fc.nat(2_000_000), { maxLength: 12 }),
        (parts, cuts) => {
          const pieces = split(cutAt(Buffer.from(parts.join("")), cuts), mask);
          expect(pieces.join("")).toBe(mask(parts.join("")));
          expect(Math.max(0, ...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(PIECE + 8 * 1024);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a secret at every place around the border of a piece is masked", () => {
    for (let before = PIECE - SECRET.length - 2; before <= PIECE + 2; before++) {
      const pieces = split([Buffer.from("x".repeat(before) + SECRET + "y".repeat(20_000))], mask);
      expect(pieces.length).toBe(2);
      expect(pieces.join("")).toBe(`${"x".repeat(before)}***${"y".repeat(20_000)}`);
    }
  });

  test("a surrogate pair is never cut in two", () => {
    const text = `x${"😀".repeat(PIECE)}`;
    const pieces = split([Buffer.from(text)]);
    expect(pieces.join("")).toBe(text);
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
  });
});

describe("the process table is read right", () => {
  test("a command name with spaces and brackets does not shift the fields", () => {
    const fields = `S 10 20 30 ${Array.from({ length: 15 }, (_, i) => i).join(" ")} 987654 0`;
    expect(parseStat(`42 (a) b (c)) ${fields}`)).toEqual({ pid: 42, ppid: 10, pgid: 20, sid: 30, startTime: "987654" });
    expect(parseStat(`42 (sleep) Z ${fields.slice(2)}`)).toBeUndefined();
  });

  test("macOS's ps is understood", () => {
    const output = "  501     1   501 Ss   Sat Nov 21 10:15:02 2026    \n  777   501   501 Z    Sat Nov 21 10:15:03 2026\n";
    expect(parsePs(output)).toEqual([{ pid: 501, ppid: 1, pgid: 501, sid: 0, startTime: "1795256102" }]);
  });
});

test("an attempt id is one safe folder name, and no two share one", () => {
  expect(folderOf("01J/build/app#1")).toBe("01J%2fbuild%2fapp%231");
  expect(folderOf("..")).toBe("%2e%2e");
  expect(folderOf("")).not.toBe("");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ unit: "binary", maxLength: 300 }), (a, b) => {
      expect(folderOf(a)).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_.%-]*$/);
      expect(Buffer.byteLength(folderOf(a))).toBeLessThan(200);
      if (a.toWellFormed() !== b.toWellFormed()) expect(folderOf(a)).not.toBe(folderOf(b));
    }),
  );
});
