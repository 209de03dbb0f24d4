import fc from "fast-check";
import { expect, test } from "vitest";
import type { Extraction } from "./contract.ts";
import { extract } from "./extract.ts";
import { placePath } from "./paths.ts";
import { ExtractStream } from "./stream.ts";

/** Pieces of replies that mean something, to be put together in any order, whole or broken. */
const PIECES = [
  "Some text.\n",
  "\n",
  "src/a.ts\n",
  "**b/c.py**\n",
  "README.md\n",
  "/etc/passwd.txt\n",
  "../up.ts\n",
  ".git/config\n",
  "```\n",
  "```ts\n",
  "```ts:src/d.ts\n",
  "```markdown\n",
  "   ```py:e.py\n",
  "   ```\n",
  "~~~\n",
  "````\n",
  "// f.ts\n",
  "let a = 1;\r\n",
  "    indented é\n",
  "<<<<<<< SEARCH\n",
  "=======\n",
  ">>>>>>> REPLACE\n",
  "*** Begin Patch\n",
  "*** Add File: g.ts\n",
  "*** Update File: ~/h.ts\n",
  "+added\n",
  "-gone\n",
  " kept\n",
  "*** End Patch\n",
  "diff --git a/i.ts b/i.ts\n",
  "--- a/i.ts\n",
  "+++ b/i.ts\n",
  "@@ -1,9 +1,2 @@\n",
  '[{"path": "j.ts", "content": "let j;\\nlet k;"},\n',
  '{"file": "k.ts", "path": "C:/x/", "code": """\n',
  '"}]\n',
  '{"name": "write_file", "arguments": {"path": "..\\\\l.ts", "content": "x"}}\n',
  '<file path="m.ts">\n',
  "</file>\n",
  "<think>\n",
  "</think>\n",
  "<write_to_file>\n",
  "<path>n.ts</path>\n",
  "<content>\n",
  "</content>\n",
  "</write_to_file>\n",
  '<tool_call>{"name": "create", "arguments": {"path": "o.ts", "content": "o"}}</tool_call>\n',
];
const line = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
);
const reply = fc.array(line, { maxLength: 30 }).map((lines) => lines.join(""));

const together = (parts: readonly Extraction[]): Extraction => ({
  edits: parts.flatMap(({ edits }) => edits),
  refused: parts.flatMap(({ refused }) => refused),
  unplaced: parts.flatMap(({ unplaced }) => unplaced),
});

const pathsOf = ({ edits, unplaced }: Extraction): string[] => [
  ...edits.flatMap((edit) => (edit.kind === "rename" ? [edit.path, edit.to] : [edit.path])),
  ...unplaced.flatMap(({ path }) => (path === undefined ? [] : [path])),
];

test("however a reply is split as it arrives, the same comes out of it", () => {
  fc.assert(
    fc.property(reply, fc.array(fc.nat(), { maxLength: 12 }), (text, cuts) => {
      const places = [...new Set([0, text.length, ...cuts.map((cut) => cut % (text.length + 1))])].sort((a, b) => a - b);
      const stream = new ExtractStream();
      const parts = places.slice(1).map((place, i) => stream.push(text.slice(places[i], place)));
      expect(together([...parts, stream.end()])).toEqual(extract(text));
    }),
    { numRuns: 500 },
  );
});

test("whatever a reply holds, no path leaves the tree, and each line of a whole file stands in the reply", () => {
  fc.assert(
    fc.property(reply, (text) => {
      const found = extract(text);
      for (const path of pathsOf(found)) {
        expect(placePath(path)).toEqual({ ok: true, path });
        expect(path).not.toMatch(/^[/~]|^[A-Za-z]:|\\|(?:^|\/)\.\.(?:\/|$)|(?:^|\/)\.git(?:\/|$)/i);
        expect(path).not.toContain("\u0000");
      }
      for (const edit of found.edits) {
        if (edit.kind !== "write") continue;
        for (const each of edit.content.split("\n")) expect(text).toContain(each);
      }
    }),
    { numRuns: 500 },
  );
});

test("no spelling of a path outside the tree passes", () => {
  const part = fc.constantFrom(
    "..",
    ".",
    "",
    "a",
    "b.ts",
    ".git",
    ".GIT",
    ".git.",
    ".git ",
    "git~1",
    "~",
    "~root",
    "C:",
    "\\",
    "\u0000",
    "\u200b",
    "...",
    ".github",
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.constantFrom("/", "\\", "//"), (parts, between) => {
      const placed = placePath(parts.join(between));
      if (!placed.ok) return;
      const kept = placed.path.split("/");
      expect(kept.some((each) => ["..", ".", "", "~"].includes(each) && each !== "~")).toBe(false);
      expect(kept.some((each) => /^(?:\.git|git~1)[. ]*$/i.test(each))).toBe(false);
      expect(placed.path).not.toMatch(/^[~/]|^[A-Za-z]:|\\/);
    }),
    { numRuns: 500 },
  );
});

test("text that no model marked as an edit gives no edit", () => {
  const prose = fc.array(fc.stringMatching(/^[A-Za-z .,()'!?-]{0,60}$/), { maxLength: 20 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(prose, (text) => {
      expect(extract(text).edits).toEqual([]);
    }),
  );
});

test("an edit comes as soon as its end has passed", () => {
  const stream = new ExtractStream();
  expect(stream.push("a.ts\n```ts\nlet a;\n``").edits).toEqual([]);
  expect(stream.push("`\n").edits).toMatchObject([{ path: "a.ts", content: "let a;\n" }]);
  expect(stream.push("*** Begin Patch\n*** Delete File: b.ts\n*** End Patch\nand more").edits).toMatchObject([{ kind: "delete" }]);
  expect(stream.push(`\n[{"path": "c.ts", "content": "x"}]\n`).edits).toMatchObject([{ path: "c.ts" }]);
  expect(stream.end().edits).toEqual([]);
});

test.each([
  ["one fence", (n: number) => `a.ts\n\`\`\`ts\n${"let a = 1;\n".repeat(n)}\`\`\`\n`],
  ["many fences", (n: number) => "a.ts\n```ts\nx\n```\n".repeat(n / 2)],
  ["nested fences that never end", (n: number) => `\`\`\`markdown\n${"```ts\nx\n```\n".repeat(n / 2)}`],
  ["prose", (n: number) => "Some words that say nothing.\n".repeat(n)],
  ["malformed JSON", (n: number) => `[${'{"path": "a.ts", "content": "say "hi"\n"},\n'.repeat(n / 2)}`],
  ["names without records", (n: number) => `[{${'"path": "a.ts",\n'.repeat(n)}`],
  ["brackets that never close", (n: number) => '{"a": [\n'.repeat(n)],
  ["blocks that never end", (n: number) => `a.ts\n${"<<<<<<< SEARCH\nx\n".repeat(n / 2)}`],
  ["hunks", (n: number) => `--- a/a.ts\n+++ b/a.ts\n${"@@ -1 +1 @@\n-a\n+b\n".repeat(n / 2)}`],
  ["elements", (n: number) => '<file path="a.ts">\nx\n</file>\n'.repeat(n / 2)],
  ["one long line", (n: number) => `\`\`\`ts:a.ts\n${"x".repeat(n * 10)}\n\`\`\`\n`],
])("work grows with the length of the reply, not with its square: %s", (_, make) => {
  const [small, large] = [make(400), make(3200)];
  // Of the processor, not of the clock: other work on the machine counts for nothing.
  const time = (text: string): number => {
    const before = process.cpuUsage();
    extract(text);
    return process.cpuUsage(before).user / 1000;
  };
  time(small);
  const few = Math.min(time(small), time(small));
  // Eight times the text: 64 times the work would be quadratic. The sum is for compiling and collecting, which come when they come.
  expect(Math.min(time(large), time(large))).toBeLessThan(30 * few + 400);
});

test("a reply that is too long is read up to the limit, and says so", () => {
  const { edits, unplaced } = extract(`a.ts\n\`\`\`ts\nx\n\`\`\`\n${"y".repeat(4_000_000)}`);
  expect(edits).toMatchObject([{ path: "a.ts" }]);
  expect(unplaced).toMatchObject([{ kind: "broken", why: expect.stringContaining("longer") as string }]);
});
