import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunBranch, Workspaces } from "./index.ts";
import { at, contentsOf, Scratch, snapshotOf } from "./scratch-project.testkit.ts";

const branch: RunBranch = { runId: "run1", name: "stepfall/run1" };

/** A finished run that wrote these files. */
async function finishedRun(
  s: Scratch,
  dir: string,
  files: Record<string, string>,
): Promise<{ workspaces: Workspaces; tip: string; head: string }> {
  const { workspaces, head } = await s.workspaces(dir);
  await workspaces.createRunBranch(branch, head);
  const w = await workspaces.create({ runId: "run1", attempt: "run1/a#1", from: head });
  s.write(w.tree, files);
  const { commit = "" } = await workspaces.snapshot(snapshotOf(w));
  await workspaces.advance(branch, head, commit);
  return { workspaces, tip: commit, head };
}

test("stepfall merge brings the run into the user's branch with their hooks, and again is no second merge", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n", "mine.txt": "m\n" });
  const { workspaces, tip, head } = await finishedRun(s, dir, { "a.txt": "by the run\n" });
  s.write(dir, {
    ".git/hooks/post-merge": `#!/bin/sh\ntouch '${s.markers}/post-merge'\n`,
    "mine.txt": "uncommitted\n",
    "untracked.txt": "u\n",
  });
  chmodSync(join(dir, ".git/hooks/post-merge"), 0o755);
  const { into, commit, already } = await workspaces.mergeIntoCurrent(branch, "Take the run");
  expect([into, already]).toEqual(["main", false]);
  expect(s.git(dir, "rev-parse", "main", "main^1", "main^2")).toBe(`${commit}\n${head}\n${tip}`);
  expect(s.git(dir, "log", "-1", "--format=%s %an")).toBe("Take the run User");
  expect(readFileSync(join(dir, "a.txt"), "utf8")).toBe("by the run\n");
  expect(s.git(dir, "status", "--porcelain")).toBe(" M mine.txt\n?? untracked.txt");
  expect(s.marks()).toEqual(["post-merge"]);
  expect(await workspaces.mergeIntoCurrent(branch, "Again")).toEqual({ into: "main", commit, already: true });
});

test("uncommitted or untracked files in the way stop the merge with their names, and stay", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a b.txt": "a\n" });
  const { workspaces } = await finishedRun(s, dir, { "a b.txt": "by the run\n", "new.txt": "by the run\n" });
  s.write(dir, { "a b.txt": "mine\n" });
  const before = [s.git(dir, "status", "--porcelain"), s.git(dir, "diff"), s.git(dir, "for-each-ref")];
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "MERGE_DIRTY", paths: ["a b.txt"] });
  expect([s.git(dir, "status", "--porcelain"), s.git(dir, "diff"), s.git(dir, "for-each-ref")]).toEqual(before);
  s.git(dir, "checkout", "-q", "a b.txt");
  s.write(dir, { "new.txt": "mine\n" });
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "MERGE_DIRTY", paths: ["new.txt"] });
  expect(readFileSync(join(dir, "new.txt"), "utf8")).toBe("mine\n");
});

test("a conflict is taken back: the checkout is as before, with what was uncommitted in it", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n", "other.txt": "o\n" });
  const { workspaces } = await finishedRun(s, dir, { "a.txt": "by the run\n" });
  s.write(dir, { "a.txt": "by the user\n" });
  const head = s.commit(dir, "theirs");
  s.write(dir, { "other.txt": "uncommitted\n" });
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "MERGE_CONFLICT", paths: ["a.txt"] });
  expect(s.git(dir, "rev-parse", "HEAD")).toBe(head);
  expect(s.git(dir, "status", "--porcelain")).toBe(" M other.txt");
  expect(existsSync(join(dir, ".git/MERGE_HEAD"))).toBe(false);
});

test("a hook or a signature that refuses takes the merge back too, and what it said is told", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n" });
  const { workspaces, head } = await finishedRun(s, dir, { "a.txt": "by the run\n" });
  s.write(dir, { ".git/hooks/commit-msg": "#!/bin/sh\necho 'no ticket number' >&2\nexit 1\n" });
  chmodSync(join(dir, ".git/hooks/commit-msg"), 0o755);
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({
    code: "GIT_FAILED",
    stderr: expect.stringContaining("no ticket number"),
  });
  rmSync(join(dir, ".git/hooks/commit-msg"));
  s.git(dir, "config", "commit.gpgsign", "true");
  s.git(dir, "config", "gpg.program", "/nonexistent/gpg");
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect(s.git(dir, "status", "--porcelain")).toBe("");
  expect(s.git(dir, "rev-parse", "HEAD")).toBe(head);
});

test("while another git command holds the index nothing is begun; one that comes in between is waited for, and the merge taken back", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n" });
  const { workspaces, head } = await finishedRun(s, dir, { "a.txt": "by the run\n" });
  s.write(dir, { ".git/index.lock": "" });
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({
    code: "MERGE_DIRTY",
    hint: expect.stringContaining("rm "),
  });
  rmSync(join(dir, ".git/index.lock"));
  // A hook that refuses, and leaves a lock that goes away a second later.
  s.write(dir, { ".git/hooks/commit-msg": "#!/bin/sh\ntouch .git/index.lock\n(sleep 1; rm .git/index.lock) >/dev/null 2>&1 &\nexit 1\n" });
  chmodSync(join(dir, ".git/hooks/commit-msg"), 0o755);
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect(existsSync(join(dir, ".git/MERGE_HEAD"))).toBe(false);
  expect([s.git(dir, "status", "--porcelain"), s.git(dir, "rev-parse", "HEAD")]).toEqual(["", head]);
});

test("a merge of the user's own that is under way is left alone; a detached HEAD is refused", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n" });
  const { workspaces } = await finishedRun(s, dir, { "b.txt": "by the run\n" });
  s.git(dir, "switch", "-q", "-c", "side");
  s.write(dir, { "a.txt": "side\n" });
  s.commit(dir, "side");
  s.git(dir, "switch", "-q", "main");
  s.write(dir, { "a.txt": "main\n" });
  s.commit(dir, "main");
  expect(() => s.git(dir, "merge", "side")).toThrow();
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "MERGE_DIRTY" });
  await expect(workspaces.snapshotDirty({ runId: "run1", at })).rejects.toMatchObject({ code: "MERGE_CONFLICT", paths: ["a.txt"] });
  expect(existsSync(join(dir, ".git/MERGE_HEAD"))).toBe(true);
  s.git(dir, "merge", "--abort");
  s.git(dir, "switch", "-q", "--detach");
  await expect(workspaces.mergeIntoCurrent(branch, "x")).rejects.toMatchObject({ code: "MERGE_DETACHED" });
});

test("uncommitted work becomes a commit a run can start from, and nothing of the user's is touched", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", {
    "staged.txt": "1\n",
    "edited.txt": "1\n",
    "gone.txt": "1\n",
    "both.txt": "1\n",
    ".gitignore": "*.log\n",
  });
  s.write(s.userHome, { ".config/git/ignore": "*.swp\n" });
  s.write(dir, { "staged.txt": "2\n", "both.txt": "staged\n", "added.txt": "a\n" });
  s.git(dir, "add", "staged.txt", "both.txt", "added.txt");
  s.write(dir, { "edited.txt": "2\n", "both.txt": "in the end\n", "new ü\n.txt": "n\n", "x.log": "x", "y.swp": "y" });
  rmSync(join(dir, "gone.txt"));
  symlinkSync("staged.txt", join(dir, "link"));
  s.git(s.root, "init", "-q", join(dir, "nested"));
  s.write(dir, { "nested/file": "f" });
  const before = contentsOf(dir, (path) => path.startsWith(".git/objects") || path.startsWith(".git/refs/stepfall"));

  const { workspaces, head } = await s.workspaces(dir);
  const taken = await workspaces.snapshotDirty({ runId: "run1", at });
  expect(taken).toMatchObject({
    paths: ["added.txt", "both.txt", "edited.txt", "gone.txt", "link", "new ü\n.txt", "staged.txt"],
    leftOut: [{ path: "nested" }],
  });
  const commit = taken?.commit ?? "";
  expect(s.git(dir, "rev-parse", `${commit}^`, "refs/stepfall/dirty/run1")).toBe(`${head}\n${commit}`);
  expect(s.git(dir, "show", `${commit}:both.txt`)).toBe("in the end");
  expect(contentsOf(dir, (path) => path.startsWith(".git/objects") || path.startsWith(".git/refs/stepfall"))).toEqual(before);
  expect(await workspaces.snapshotDirty({ runId: "run1", at })).toEqual(taken);

  const w = await workspaces.create({ runId: "run1", attempt: "run1/a#1", from: commit });
  expect(readFileSync(join(w.tree, "edited.txt"), "utf8")).toBe("2\n");
  await workspaces.releaseSnapshots("run1");
  expect(s.git(dir, "for-each-ref", "refs/stepfall")).toBe("");
});

test("a clean checkout has nothing to take along, also with a split index or none", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n" });
  const { workspaces } = await s.workspaces(dir);
  expect(await workspaces.snapshotDirty({ runId: "run1", at })).toBeUndefined();
  s.git(dir, "update-index", "--split-index");
  s.write(dir, { "a.txt": "b\n" });
  expect((await workspaces.snapshotDirty({ runId: "run1", at }))?.paths).toEqual(["a.txt"]);
  rmSync(join(dir, ".git/index"));
  expect((await workspaces.snapshotDirty({ runId: "run1", at }))?.paths).toEqual(["a.txt"]);
  expect(existsSync(join(dir, ".git/index"))).toBe(false);
});

test("line endings that the user's own config converts are no change", async () => {
  await using s = new Scratch();
  s.write(s.userHome, { ".gitconfig": "[core]\n\tautocrlf = true\n" });
  const dir = s.repository("p", { "a.txt": "a\r\n", "b.txt": "b\r\n" });
  s.write(dir, { "b.txt": "B\r\n" });
  const { workspaces } = await s.workspaces(dir);
  const taken = await workspaces.snapshotDirty({ runId: "run1", at });
  expect(taken?.paths).toEqual(["b.txt"]);
  expect(await workspaces.readFile(taken?.commit ?? "", "b.txt")).toEqual(Buffer.from("B\n"));
});
