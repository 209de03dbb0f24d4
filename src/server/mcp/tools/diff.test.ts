import { expect, test } from "vitest";
import type { Control, RunReport } from "../../../control/index.ts";
import { diffText } from "./diff.ts";

const run = { runId: "r", base: "b", branch: "stepfall/r", status: "succeeded" } as unknown as RunReport;
const LINE = `${"+ä line".padEnd(99, ".")}\n`;

/** A diff of so many bytes, given as git gives it: never more than is asked for. */
function diffOf(bytes: number, files = [{ path: "a.txt", added: 1, removed: 0, binary: false }]) {
  const asked: number[] = [];
  const whole = Buffer.from(LINE.repeat(Math.ceil(bytes / Buffer.byteLength(LINE))));
  const control: Pick<Control, "diff"> = {
    diff: (_, { maxBytes = 0 } = {}) => {
      asked.push(maxBytes);
      const isTruncated = whole.length > maxBytes;
      const text = whole.subarray(0, maxBytes).toString("utf8");
      return Promise.resolve({ text: isTruncated ? `${text}\n[cut after ${maxBytes} bytes]\n` : text, files, isTruncated });
    },
  };
  return { control, asked };
}

test("a long diff is read part by part to its end, and each part asks git for no more than it needs", async () => {
  const { control, asked } = diffOf(1_000_000);
  let read = "";
  let offset: number | undefined = 0;
  for (; offset !== undefined;) {
    const text: string = await diffText(control, run, { offset, max_chars: 24_000 });
    expect(text.length).toBeLessThan(24_500);
    read += text.replace(/^1 changed.*\n/, "").replace(/\n\[more: .*\]$/, "\n");
    const next = /get_diff with offset (\d+)\]$/.exec(text)?.[1];
    offset = next === undefined ? undefined : Number(next);
  }
  expect(read.match(/^\+ä line\.*$/gm)?.length).toBe(Math.ceil(1_000_000 / Buffer.byteLength(LINE)));
  expect(asked[0]).toBeLessThan(200_000);
  expect(asked.every((bytes, i) => i === 0 || bytes >= (asked[i - 1] ?? 0))).toBe(true);
});

test("what cannot be had here is said, with what can: git, or single files", async () => {
  const { control, asked } = diffOf(9_000_000);
  const text = await diffText(control, run, { offset: 7_800_000, max_chars: 100_000 });
  expect(asked).toEqual([8_000_000]);
  expect(text).toContain("git diff b...stepfall/r; or ask for single files]");
  expect(await diffText(diffOf(1000).control, run, { offset: 5000, max_chars: 500 })).toMatch(/^\[the diff ends at offset \d+\]$/);
});

test("however many files were changed, and however long their names are, the list of them stays short", async () => {
  const files = Array.from({ length: 20_000 }, (_, n) => ({ path: `${n}${"x".repeat(4000)}`, added: 1, removed: 0, binary: false }));
  const text = await diffText(diffOf(1000, files).control, run, { offset: 0, max_chars: 500 });
  expect(text.length).toBeLessThan(6000);
  expect(text).toMatch(/^20000 changed: .*, and 1999\d more\n/);
});

test("a run that goes on and has changed nothing yet is not told as one that changed nothing", async () => {
  const none: Pick<Control, "diff"> = { diff: () => Promise.resolve({ text: "", files: [], isTruncated: false }) };
  const part = { offset: 0, max_chars: 500 };
  expect(await diffText(none, run, part)).toBe("No file was changed.");
  expect(await diffText(none, { ...run, status: "running" }, part)).toContain("No file was changed yet");
});
