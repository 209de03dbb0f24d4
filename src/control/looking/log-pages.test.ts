import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLogPage } from "./log-pages.ts";
import type { LogLine } from "./transcripts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-logs-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, lines: readonly { at: number; text: string }[], from = 1): void =>
  appendFileSync(
    join(folder, name),
    lines.map(({ at, text }, i) => `${JSON.stringify({ seq: from + i, at, stream: "stdout", text })}\n`).join(""),
  );

const page = (after: string, limit: number, part = {}, { now = Date.now(), over = false } = {}) =>
  readLogPage(folder, "r", { part, after, limit, now, isOver: () => over });
async function all(limit: number, after = "", more = {}): Promise<{ lines: LogLine[]; next: string }> {
  const lines: LogLine[] = [];
  for (let next = after; ;) {
    const read = await page(next, limit, {}, more);
    lines.push(...read.lines);
    next = read.next;
    if (read.lines.length === 0) return { lines, next };
  }
}

test("pages of any size give every line once, each file in its order, also of what is written meanwhile", async () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant("é 漢字 \u{1F600}"), fc.constant("x".repeat(70_000)));
  const file = fc.array(fc.record({ at: fc.nat(50), text }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { minLength: 1, maxLength: 4 }),
      fc.array(file, { maxLength: 4 }),
      fc.integer({ min: 1, max: 7 }),
      async (before, later, limit) => {
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(join(tmpdir(), "stepfall-logs-"));
        const name = (i: number): string => `step${i}-1.agent.ndjson`;
        before.forEach((lines, i) => write(name(i), lines));
        const first = await all(limit);
        later.forEach((lines, i) => write(name(i), lines, (before[i]?.length ?? 0) + 1));
        const second = await all(limit, first.next);
        const read = [...first.lines, ...second.lines];
        for (let i = 0; i < Math.max(before.length, later.length); i++)
          expect(read.filter((line) => line.step === `step${i}`).map((line) => line.text)).toEqual(
            [...(before[i] ?? []), ...(later[i] ?? [])].map((line) => line.text),
          );
      },
    ),
    { numRuns: 40 },
  );
});

test("the oldest line of all files comes first", async () => {
  write("a-1.agent.ndjson", [
    { at: 1, text: "a1" },
    { at: 5, text: "a5" },
  ]);
  write("b-2.gates-1.ndjson", [{ at: 3, text: "b3" }]);
  expect((await page("", 10)).lines.map(({ text, attempt, role }) => [text, attempt, role])).toEqual([
    ["a1", "r/a#1", "agent"],
    ["b3", "r/b#2", "gates-1"],
    ["a5", "r/a#1", "agent"],
  ]);
  expect((await page("", 10, { role: "gates-1" })).lines).toHaveLength(1);
  expect((await page("", 10, { attempt: "r/a#1" })).lines).toHaveLength(2);
});

test("files that are done with need no room in the cursor, and nothing of them is lost or doubled when they grow, or when others come", async () => {
  const T = Date.parse("2026-11-20T12:00:00Z");
  const name = (i: number): string => `step${i}-1.agent.ndjson`;
  const writeAt = (i: number, times: readonly number[], from = 1): void => {
    write(
      name(i),
      times.map((t) => ({ at: T + t, text: `${i}:${t}` })),
      from,
    );
    utimesSync(join(folder, name(i)), new Date(T + (times.at(-1) ?? 0)), new Date(T + (times.at(-1) ?? 0)));
  };
  const times = fc.array(fc.nat(90_000), { minLength: 1, maxLength: 6 }).map((all) => all.toSorted((a, b) => a - b));
  const named: number[] = [];
  await fc.assert(
    fc.asyncProperty(
      fc.array(times, { minLength: 1, maxLength: 6 }),
      fc.array(times, { maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (before, later, limit) => {
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(join(tmpdir(), "stepfall-logs-"));
        before.forEach((ts, i) => writeAt(i, ts));
        const first = await all(limit, "", { now: T + 100_000, over: true });
        named.push(first.next.split("~")[1]?.split(".").filter(Boolean).length ?? 0);
        const times2 = later.map((ts) => ts.map((t) => t + 100_001));
        times2.forEach((ts, i) => writeAt(i, ts, (before[i]?.length ?? 0) + 1));
        const second = await all(limit, first.next, { now: T + 300_000, over: true });
        for (let i = 0; i < Math.max(before.length, times2.length); i++)
          expect([...first.lines, ...second.lines].flatMap(({ step, text }) => (step === `step${i}` ? [text] : []))).toEqual(
            [...(before[i] ?? []), ...(times2[i] ?? [])].map((t) => `${i}:${t}`),
          );
      },
    ),
    { numRuns: 60 },
  );
  // Nothing was written within the last two seconds.
  expect(Math.max(...named)).toBe(0);
});

test("two files whose names look alike to a short hash are two files", async () => {
  const seen = new Map<string, string>();
  for (let i = 0; seen.size === i; i++) {
    const name = `s${i}-1.agent.ndjson`;
    const short = createHash("sha256").update(name).digest("hex").slice(0, 6);
    const other = seen.get(short);
    if (other === undefined) seen.set(short, name);
    else
      for (const one of [name, other])
        write(
          one,
          [1, 2].map((at) => ({ at, text: `${one} ${at} ${"x".repeat(one === name ? 40 : 4)}` })),
        );
  }
  expect((await all(1)).lines).toHaveLength(4);
});

test("half a line is waited for; one that a crash left is passed over; other files of the folder are none", async () => {
  write("a-1.agent.ndjson", [{ at: 1, text: "one" }]);
  appendFileSync(join(folder, "a-1.agent.ndjson"), '{"seq":2,"at":2,"stream":"stdout","te');
  appendFileSync(join(folder, "report.md"), "# no log\n");
  const first = await page("", 10);
  expect(first.lines.map(({ text }) => text)).toEqual(["one"]);
  appendFileSync(join(folder, "a-1.agent.ndjson"), 'xt":"two"}\nhalf of a li\n');
  write("a-1.agent.ndjson", [{ at: 4, text: "three" }], 3);
  expect((await page(first.next, 10)).lines.map(({ text }) => text)).toEqual(["two", "three"]);
});

test.each(["..", "../../x", "abc", "~~", "1~zzzzzzzzzz", "1~aaaaaaaaaa1.", "1~aaaaaaaaaa9999999999999", "zzzzzz1"])(
  "%s is no cursor",
  async (after) => {
    await expect(page(after, 10)).rejects.toMatchObject({ code: "USAGE" });
  },
);
