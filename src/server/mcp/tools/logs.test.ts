import { expect, test } from "vitest";
import type { Control, LogLine } from "../../../control/index.ts";
import { logText } from "./logs.ts";

/** As many lines, in pages as they are wanted; the cursor is how many were read. */
const printed = (count: number, isOver = true): Pick<Control, "logs"> => ({
  logs: (_, { after = "0", limit = 100 } = {}) => {
    const from = Number(after);
    const lines = Array.from({ length: Math.min(limit, count - from) }, (_line, i): LogLine => {
      const n = from + i;
      return { attempt: "r/s#1", step: "s", n: 1, role: "agent", seq: n, at: n, stream: "stdout", text: `line ${n}` };
    });
    return Promise.resolve({ lines, next: String(from + lines.length), isOver });
  },
});

test("of much that was printed the last lines are told, with how many are left out", async () => {
  const text = await logText(printed(200_000), "r", {}, 1000);
  expect(text.length).toBeLessThan(1200);
  expect(text).toMatch(/^\[\d+ earlier lines left out/);
  expect(text.trimEnd().endsWith("line 199999")).toBe(true);
});

test("with a cursor what comes after it is told, as much as fits, and going on loses nothing", async () => {
  const seen: string[] = [];
  let after = "0";
  for (let calls = 0; calls < 200; calls += 1) {
    const text = await logText(printed(500), "r", { after }, 1000);
    expect(text.length).toBeLessThan(1200);
    if (text.includes("the run is over")) break;
    seen.push(...text.split("\n").filter((l) => l.startsWith("s#1")));
    after = /go on after "(\d+)"/.exec(text)?.[1] ?? "";
  }
  expect(seen).toHaveLength(500);
  expect(new Set(seen).size).toBe(500);
});

test("where a place in all files is too long to repeat, one step is to be asked for", async () => {
  const files = 400;
  const control: Pick<Control, "logs"> = { logs: () => Promise.resolve({ lines: [], next: "f".repeat(16 * files), isOver: false }) };
  const text = await logText(control, "r", {}, 1000);
  expect(text.length).toBeLessThan(300);
  expect(text).toContain("one step, attempt or role at a time");
});

test("nothing printed is said so; a run that goes on tells where to look next", async () => {
  expect(await logText(printed(0), "r", {}, 1000)).toBe("Nothing was printed.");
  expect(await logText(printed(1, false), "r", {}, 1000)).toContain('after "1"');
});
