import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDiff } from "../../web/src/run/model/unified-diff.ts";

test("what git says of a change is read line by line, with its numbers", () => {
  const dir = mkdtempSync(join(tmpdir(), "stepfall-diff-"));
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", ["-C", dir, "-c", "user.name=t", "-c", "user.email=t@t", ...args], { encoding: "utf8" });
    git("init", "-q");
    writeFileSync(join(dir, "a.txt"), "one\ntwo\nthree\n");
    writeFileSync(join(dir, "old name.txt"), "same\n".repeat(20));
    writeFileSync(join(dir, "gone.txt"), "bye\n");
    git("add", "-A");
    git("commit", "-qm", "x");
    // A line that looks like a header inside a hunk, and no newline at the end.
    writeFileSync(join(dir, "a.txt"), "one\n-- a/x\nthree\nfour");
    git("mv", "old name.txt", "new.txt");
    git("rm", "-q", "gone.txt");
    writeFileSync(join(dir, "b.bin"), Buffer.from([0, 1, 2, 0]));
    // What git writes between the two names of a file, within a name.
    mkdirSync(join(dir, "odd b"));
    writeFileSync(join(dir, "odd b", "x b"), "1\n");
    git("add", "-A");
    const { lines, files } = parseDiff(git("diff", "--cached", "-M"));
    expect(files).toEqual([
      { path: "a.txt", added: 2, removed: 1 },
      { path: "b.bin", added: 0, removed: 0, note: "added" },
      { path: "gone.txt", added: 0, removed: 1, note: "removed" },
      { path: "new.txt", from: "old name.txt", added: 0, removed: 0, note: "renamed" },
      { path: "odd b/x b", added: 1, removed: 0, note: "added" },
    ]);
    expect(lines.filter((l) => l.kind === "added")).toEqual([
      { kind: "added", text: "-- a/x", after: 2 },
      { kind: "added", text: "four", after: 4 },
      { kind: "added", text: "1", after: 1 },
    ]);
    expect(lines).toContainEqual({ kind: "note", text: "No newline at end of file" });
    expect(lines.filter((l) => l.kind === "context").map((l) => "before" in l && l.before)).toEqual([1, 3]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
