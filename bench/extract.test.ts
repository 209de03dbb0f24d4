import { expect, test } from "vitest";
import { extract } from "../src/quality/extract/extract.ts";
import { score, type LabelledReply } from "./extract-score.ts";

const reply = "a.ts\n```ts\nlet a;\n```\n\n```ts\nlet example;\n```\n\n1. Also:\n\n   ```ts:/b.ts\n   let b;\n   ```\n";
const row: LabelledReply = {
  id: "made-up",
  format: "info_string",
  source: "nowhere",
  files: ["a.ts", "/b.ts"],
  expected: [
    { path: "a.ts", lines: [3, 3], closed: true },
    { path: null, lines: [7, 7], closed: true },
    { path: "/b.ts", lines: [13, 13], closed: true },
  ],
  reply,
};

test("a reply is right when each label is met and nothing is left over", () => {
  expect(score(row, extract(reply))).toMatchObject({ isExact: true, invented: [] });
});

test("a wrong line, a missing file, a file too many and a path that was not refused are each wrong", () => {
  const found = extract(reply);
  const [edit] = found.edits;
  if (edit?.kind !== "write") throw new Error("the reply has one whole file");
  const isExact = (other: typeof found): boolean => score(row, other).isExact;
  expect(isExact({ ...found, edits: [{ ...edit, content: "let b;\n" }] })).toBe(false);
  expect(isExact({ ...found, edits: [] })).toBe(false);
  expect(isExact({ ...found, refused: [] })).toBe(false);
  expect(isExact({ ...found, edits: [edit, { ...edit, path: "/b.ts" }], refused: [] })).toBe(false);
  const made = score(row, { ...found, edits: [edit, { ...edit, path: "c.ts" }] });
  expect(made).toMatchObject({ isExact: false, invented: ["c.ts"] });
});

test("a block that the reply ends in is right when it is reported, and wrong when it is applied", () => {
  const cut: LabelledReply = {
    ...row,
    reply: "a.ts\n```ts\nlet a",
    files: ["a.ts"],
    expected: [{ path: "a.ts", lines: [3, 3], closed: false }],
  };
  const found = extract(cut.reply);
  expect(score(cut, found).isExact).toBe(true);
  const applied = { ...found, unplaced: [], edits: [{ kind: "write" as const, path: "a.ts", content: "let a\n", line: 3 }] };
  expect(score(cut, applied).isExact).toBe(false);
});

test("a JSON record may be met under either of its names or both, and says whether by an edit", () => {
  const json = '[{"file": "a.py", "path": "src/", "code": "a"}, {"file": "b.py", "path": "src/"}]';
  const labelled: LabelledReply = {
    ...row,
    reply: json,
    files: ["a.py", "b.py"],
    expected: [
      { path: "a.py", dir_or_path: "src/" },
      { path: "b.py", dir_or_path: "src/" },
    ],
  };
  expect(score(labelled, extract(json))).toMatchObject({ isExact: true, jsonFiles: 2, jsonEdits: 1 });
  expect(score(labelled, extract("[]")).isExact).toBe(false);
});
