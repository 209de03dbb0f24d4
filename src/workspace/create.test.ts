import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attemptNames, safeStep } from "./naming.ts";
import { contentsOf, Scratch, snapshotOf, at } from "./scratch-project.testkit.ts";

const request = (from: string, attempt = "run1/build#1") => ({ runId: "run1", attempt, from });

test("a workspace is a clean work tree of its commit with a repository of its own", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "src/a.txt": "a\n", "run.sh": "#!/bin/sh\n", "ümlaut ünd space.txt": "u\n", "new\nline.txt": "n\n" });
  chmodSync(join(dir, "run.sh"), 0o755);
  symlinkSync("src/a.txt", join(dir, "link"));
  s.commit(dir, "second");
  s.write(dir, { ".git/info/exclude": "scratch/\n" });
  const { workspaces, head } = await s.workspaces(dir);
  const w = await workspaces.create(request(head));

  expect(w).toEqual({
    attempt: "run1/build#1",
    root: join(s.home, "workspaces/run1/build-1"),
    tree: join(w.root, "tree"),
    home: join(w.root, "home"),
    tmp: join(w.root, "tmp"),
    from: head,
  });
  expect(readdirSync(w.tree).sort()).toEqual([".git", "link", "new\nline.txt", "run.sh", "src", "ümlaut ünd space.txt"].sort());
  expect(lstatSync(join(w.tree, "run.sh")).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(w.tree, "link"))).toBe("src/a.txt");
  expect(readdirSync(w.home)).toEqual([]);
  expect(s.git(w.tree, "status", "--porcelain")).toBe("");
  expect(s.git(w.tree, "symbolic-ref", "HEAD")).toBe("refs/heads/work");
  expect(s.git(w.tree, "log", "--format=%s")).toBe("second\nfirst");
  s.write(w.tree, { "scratch/x": "ignored by the project's info/exclude" });
  expect(s.git(w.tree, "status", "--porcelain")).toBe("");
});

test("what an agent commits or configures in its repository stays there", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n" });
  const { workspaces, head } = await s.workspaces(dir);
  const before = contentsOf(dir);
  const w = await workspaces.create(request(head));
  s.write(w.tree, { "a.txt": "agent's\n" });
  s.git(w.tree, "commit", "-q", "-am", "agent's own");
  s.git(w.tree, "branch", "main");
  s.git(w.tree, "gc", "-q");
  s.git(w.tree, "fsck");
  expect(contentsOf(dir)).toEqual(before);
});

test("a second start of an attempt finds nothing of the first", async () => {
  await using s = new Scratch();
  const { workspaces, head } = await s.workspaces(s.repository("p", { "a/b.txt": "a\n" }));
  const first = await workspaces.create(request(head));
  s.write(first.tree, { "junk.txt": "x", "locked/y": "y" });
  s.write(first.home, { ".login": "x" });
  chmodSync(join(first.tree, "locked"), 0o000);
  const second = await workspaces.create(request(head));
  expect(readdirSync(second.tree).sort()).toEqual([".git", "a"]);
  expect(readdirSync(second.home)).toEqual([]);
  await workspaces.remove(second);
  expect(existsSync(second.root)).toBe(false);
  await workspaces.remove(second);
});

test("a workspace that cannot be made leaves nothing and says why", async () => {
  await using s = new Scratch();
  const { workspaces } = await s.workspaces(s.repository("p"));
  await expect(workspaces.create(request("1".repeat(40)))).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect(existsSync(join(s.home, "workspaces/run1/build-1"))).toBe(false);
  writeFileSync(s.path("file"), "");
  s.write(s.home, { "workspaces/run2": "in the way" });
  await expect(workspaces.create({ ...request("1".repeat(40)), attempt: "run2/a#1" })).rejects.toMatchObject({ code: "WORKSPACE_IO" });
});

test("only folders of ours are ever removed", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { workspaces } = await s.workspaces(dir);
  await workspaces.create(request(s.git(dir, "rev-parse", "HEAD")));
  for (const root of [dir, s.home, join(s.home, "workspaces"), join(s.home, "workspaces/../../p")])
    await expect(workspaces.remove({ root })).rejects.toMatchObject({ code: "WORKSPACE_IO" });
  expect(existsSync(join(dir, "README.md"))).toBe(true);
  expect(existsSync(join(s.home, "workspaces/run1/build-1/tree"))).toBe(true);
});

describe("every kind of repository", () => {
  const whole = async (s: Scratch, dir: string): Promise<void> => {
    const { workspaces, head } = await s.workspaces(dir);
    const branch = { runId: "run1", name: "stepfall/run1" };
    await workspaces.createRunBranch(branch, head);
    const w = await workspaces.create(request(head));
    expect(s.git(w.tree, "status", "--porcelain")).toBe("");
    s.write(w.tree, { "made.txt": "made\n" });
    const snapshot = await workspaces.snapshot(snapshotOf(w));
    expect(snapshot).toMatchObject({ changed: ["made.txt"], dropped: [], reverted: [], refused: [] });
    const merged = await workspaces.prepareMerge({
      branch,
      attempt: w.attempt,
      commit: snapshot.commit ?? "",
      onto: head,
      at,
      title: "merge",
    });
    if (merged.kind !== "merged") throw new Error("it conflicts");
    expect(await workspaces.advance(branch, head, merged.commit)).toEqual({ moved: true, tip: merged.commit });
    await using check = await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit: merged.commit, purpose: "merge" });
    expect(readFileSync(join(check.tree, "made.txt"), "utf8")).toBe("made\n");
    expect(s.git(check.tree, "status", "--porcelain")).toBe("");
    s.git(dir, "fsck", "--strict");
    expect(s.git(dir, "log", "-1", "--format=%s", "stepfall/run1")).toBe("merge");
  };

  test("a folder with spaces, quotes and other letters in its path", async () => {
    await using s = new Scratch();
    await whole(s, s.repository('my "projects"/größe\\ ✓'));
  });
  test("a folder with a newline in its path", async () => {
    await using s = new Scratch();
    await whole(s, s.repository("two\nlines"));
  });
  test("sha256 objects", async () => {
    await using s = new Scratch();
    await whole(s, s.repository("p", { a: "a" }, "--object-format=sha256"));
  });
  test("a linked work tree", async () => {
    await using s = new Scratch();
    s.git(s.repository("p"), "worktree", "add", "-q", "-b", "side", s.path("linked"));
    await whole(s, s.path("linked"));
  });
  test("a shallow clone", async () => {
    await using s = new Scratch();
    const dir = s.repository("p");
    s.commit(dir, "second");
    s.git(s.root, "clone", "-q", "--depth", "1", pathToFileURL(dir).href, s.path("shallow"));
    await whole(s, s.path("shallow"));
  });
  test("objects borrowed from another repository, and packed refs", async () => {
    await using s = new Scratch();
    const dir = s.repository("p");
    s.git(s.root, "clone", "-q", "--shared", dir, s.path("borrower"));
    s.git(s.path("borrower"), "pack-refs", "--all");
    s.git(s.path("borrower"), "gc", "-q");
    await whole(s, s.path("borrower"));
  });
  test("signing that would fail, and hooks that would refuse", async () => {
    await using s = new Scratch();
    const dir = s.repository("p");
    s.git(dir, "config", "commit.gpgsign", "true");
    s.git(dir, "config", "gpg.program", s.tripwire("gpg"));
    for (const hook of [
      "pre-commit",
      "commit-msg",
      "post-commit",
      "post-checkout",
      "reference-transaction",
      "post-merge",
      "pre-merge-commit",
      "post-index-change",
    ]) {
      s.write(dir, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch '${join(s.markers, hook)}'\nexit 1\n` });
      chmodSync(join(dir, ".git/hooks", hook), 0o755);
    }
    await whole(s, dir);
    expect(s.marks().filter((m) => m !== "reference-transaction")).toEqual([]);
  });
  test("a split index, an untracked cache and a sparse checkout of the user's", async () => {
    await using s = new Scratch();
    const dir = s.repository("p", { "in/a.txt": "a", "out/b.txt": "b" });
    s.git(dir, "update-index", "--split-index", "--untracked-cache");
    s.git(dir, "sparse-checkout", "set", "in");
    await whole(s, dir);
  });
});

test("a checkout for gates is a tree of its commit alone, even with read-only folders in it", async () => {
  await using s = new Scratch();
  const { workspaces, head } = await s.workspaces(s.repository("p", { "a.txt": "a\n" }));
  const w = await workspaces.create(request(head));
  s.write(w.tree, { "untracked.txt": "left by the agent" });
  const check = await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit: head, purpose: "gates" });
  const other = await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit: head, purpose: "merge" });
  expect(other.tree).not.toBe(check.tree);
  expect(readdirSync(check.tree).sort()).toEqual([".git", "a.txt"]);
  s.write(check.tree, { "a.txt": "b\n" });
  expect(s.git(check.tree, "diff", "--name-only")).toBe("a.txt");
  mkdirSync(join(check.tree, "cache/sub"), { recursive: true });
  writeFileSync(join(check.tree, "cache/sub/file"), "");
  for (const dir of ["cache/sub", "cache"]) chmodSync(join(check.tree, dir), 0o555);
  await check[Symbol.asyncDispose]();
  expect(existsSync(check.tree)).toBe(false);
  expect(existsSync(other.tree)).toBe(true);
  rmSync(other.tree, { recursive: true });
  await other[Symbol.asyncDispose]();
});

test("a workspace is removed while its work is checked for the merge: the check keeps its files, and the folder goes with it", async () => {
  await using s = new Scratch();
  const { workspaces, head } = await s.workspaces(s.repository("p", { "a.txt": "a\n" }));
  const w = await workspaces.create(request(head));
  const check = await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit: head, purpose: "merge" });
  await workspaces.remove(w);
  expect(existsSync(w.tree)).toBe(false);
  expect(existsSync(join(check.tree, "a.txt"))).toBe(true);
  await check[Symbol.asyncDispose]();
  expect(existsSync(w.root)).toBe(false);
});

test("names of steps: safe, readable, and two never meet, whatever the file system does with case", () => {
  expect(safeStep("build")).toBe("build");
  expect(safeStep("a/b")).toMatch(/^a-b\.[0-9a-f]{8}$/);
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
      expect(safeStep(a)).toMatch(/^[a-z0-9_-]+(\.[0-9a-f]{8})?$/);
      if (a !== b) expect(safeStep(a).toLowerCase()).not.toBe(safeStep(b).toLowerCase());
    }),
  );
  expect(() => attemptNames("/h", "../x/a#1")).toThrow(/cannot be the id/);
  expect(() => attemptNames("/h", "nonsense")).toThrow(/not the id of an attempt/);
});
