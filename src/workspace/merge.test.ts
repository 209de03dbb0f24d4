import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunBranch, Workspaces } from "./index.ts";
import { at, contentsOf, Scratch, snapshotOf } from "./scratch-project.testkit.ts";

const branch: RunBranch = { runId: "run1", name: "stepfall/run1" };

/** An accepted attempt at `step`, from `from`. */
async function attempt(
  s: Scratch,
  workspaces: Workspaces,
  from: string,
  step: string,
  files: Record<string, string>,
): Promise<{ attempt: string; commit: string }> {
  const id = `run1/${step}#1`;
  const w = await workspaces.create({ runId: "run1", attempt: id, from });
  s.write(w.tree, files);
  const { commit = "" } = await workspaces.snapshot(snapshotOf(w));
  await workspaces.remove(w);
  return { attempt: id, commit };
}

test("two attempts from one commit merge one after the other, each as one merge commit that names it", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n" });
  const { workspaces, head } = await s.workspaces(dir);
  await workspaces.createRunBranch(branch, head);
  const one = await attempt(s, workspaces, head, "one", { "a.txt": "one\n2\n3\n4\n5\n", "new.txt": "n\n" });
  const two = await attempt(s, workspaces, head, "two", { "a.txt": "1\n2\n3\n4\ntwo\n" });

  const first = await workspaces.prepareMerge({ branch, ...one, onto: head, at, title: "Merge one" });
  if (first.kind !== "merged") throw new Error("conflict");
  expect(first.clean).toBe(true);
  expect(await workspaces.tip(branch)).toBe(head);
  expect(await workspaces.contains(head, one.commit)).toBe(false);
  await workspaces.advance(branch, head, first.commit);
  const second = await workspaces.prepareMerge({ branch, ...two, onto: first.commit, at, title: "Merge two" });
  if (second.kind !== "merged") throw new Error("conflict");
  expect(second.clean).toBe(false);
  await workspaces.advance(branch, first.commit, second.commit);

  expect(await workspaces.tip(branch)).toBe(second.commit);
  expect(s.git(dir, "rev-parse", `${second.commit}^@`)).toBe(`${first.commit}\n${two.commit}`);
  expect(s.git(dir, "show", `${second.commit}:a.txt`)).toBe("one\n2\n3\n4\ntwo");
  expect(s.git(dir, "log", "-1", "--format=%B%an %ae %at", second.commit)).toBe(
    `Merge two\n\nStepfall-Attempt: run1/two#1\nStepfall-Run: run1\nStepfall stepfall@localhost ${Math.floor(at / 1000)}`,
  );
  expect(s.git(dir, "rev-list", "--count", "--first-parent", `${head}..stepfall/run1`)).toBe("2");
  for (const { commit } of [one, two]) expect(await workspaces.contains(second.commit, commit)).toBe(true);
});

test("the same merge request gives the same commit, in another process and another clone too", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "1\n2\n3\n" });
  const { workspaces, head } = await s.workspaces(dir);
  const one = await attempt(s, workspaces, head, "one", { "a.txt": "one\n2\n3\n" });
  const two = await attempt(s, workspaces, head, "two", { "b.txt": "b\n" });
  const request = { branch, ...two, onto: one.commit, at, title: "Merge" };
  const merged = await workspaces.prepareMerge(request);
  s.git(s.root, "clone", "-q", dir, s.path("clone"));
  s.git(s.path("clone"), "fetch", "-q", "origin", "refs/stepfall/*:refs/stepfall/*");
  s.git(s.path("clone"), "config", "user.name", "somebody else");
  await new Promise((resume) => setTimeout(resume, 1050));
  expect(await (await s.workspaces(s.path("clone"))).workspaces.prepareMerge(request)).toEqual(merged);
});

test("a conflict names its paths and says what kind it is, and moves nothing", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a ü.txt": "1\n", "b.txt": "b\n", "c.txt": "c\n" });
  const { workspaces, head } = await s.workspaces(dir);
  const one = await attempt(s, workspaces, head, "one", { "a ü.txt": "one\n", "b.txt": "one\n", "new\nline": "1\n" });
  const two = await attempt(s, workspaces, head, "two", { "a ü.txt": "two\n", "c.txt": "two\n", "new\nline": "2\n" });
  const refs = s.git(dir, "for-each-ref");
  const merged = await workspaces.prepareMerge({ branch, ...two, onto: one.commit, at, title: "Merge" });
  expect(merged).toMatchObject({ kind: "conflict", paths: ["a ü.txt", "new\nline"] });
  if (merged.kind === "conflict") expect(merged.evidence).toMatch(/CONFLICT \(content\).*a ü\.txt[^]*CONFLICT \(add\/add\)/);
  expect(s.git(dir, "for-each-ref")).toBe(refs);
});

test("of two that advance the branch from one tip, one wins and the other learns the new tip", async () => {
  await using s = new Scratch();
  const { workspaces, head, dir } = await s.workspaces(s.repository("p"));
  const other = (await s.workspaces(dir)).workspaces;
  await workspaces.createRunBranch(branch, head);
  const commits = await Promise.all(
    ["a", "b", "c", "d"].map(async (step) => (await attempt(s, workspaces, head, step, { [step]: step })).commit),
  );
  const answers = await Promise.all(commits.map((commit, i) => (i % 2 ? workspaces : other).advance(branch, head, commit)));
  const tip = await workspaces.tip(branch);
  expect(answers.filter((a) => a.moved)).toEqual([{ moved: true, tip }]);
  expect(new Set(answers.map((a) => a.tip))).toEqual(new Set([tip]));
  expect(await workspaces.advance(branch, head, tip)).toEqual({ moved: false, tip });
});

test("a run branch is made once; a branch of somebody else's is not taken", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { workspaces, head } = await s.workspaces(dir);
  await workspaces.createRunBranch(branch, head);
  await workspaces.createRunBranch(branch, head);
  const { commit } = await attempt(s, workspaces, head, "a", { a: "a" });
  await workspaces.advance(branch, head, commit);
  await workspaces.createRunBranch(branch, head);
  expect(await workspaces.tip(branch)).toBe(commit);

  s.git(dir, "checkout", "-q", "--orphan", "foreign");
  const foreign = s.commit(dir, "foreign");
  s.git(dir, "update-ref", "refs/heads/stepfall/run2", foreign);
  await expect(workspaces.createRunBranch({ runId: "run2", name: "stepfall/run2" }, head)).rejects.toMatchObject({ code: "BRANCH_EXISTS" });
  const blocked = s.repository("blocked");
  s.git(blocked, "branch", "stepfall");
  const there = await s.workspaces(blocked);
  await expect(there.workspaces.createRunBranch(branch, there.head)).rejects.toMatchObject({
    code: "BRANCH_EXISTS",
    hint: expect.stringContaining("stepfall"),
  });
  await expect(there.workspaces.tip(branch)).rejects.toMatchObject({ code: "GIT_FAILED" });
});

test("files of a commit are listed, read and compared without a work tree", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", {
    "src/a.ts": "a\n",
    "src/deep/b.ts": "b\n",
    ".env.test": "x\n",
    bin: new Uint8Array([0, 1]),
    "[odd].txt": "o\n",
  });
  s.git(dir, "config", "diff.external", s.tripwire("external"));
  const { workspaces, head } = await s.workspaces(dir);
  const { commit } = await attempt(s, workspaces, head, "a", { "src/a.ts": "a\nmore\n", bin: "\0changed", "tab\tname": "t\n" });
  expect(await workspaces.list(head)).toEqual([".env.test", "[odd].txt", "bin", "src/a.ts", "src/deep/b.ts"]);
  expect(await workspaces.list(head, ["src/**/*.ts", "!src/deep/**"])).toEqual(["src/a.ts"]);
  expect(await workspaces.list(head, ["src"])).toEqual(["src/a.ts", "src/deep/b.ts"]);
  expect(await workspaces.list(head, ["*"])).toEqual([".env.test", "[odd].txt", "bin"]);
  expect(await workspaces.list(head, ["\\[odd\\].txt", "src/*/"])).toEqual(["[odd].txt", "src/deep/b.ts"]);
  expect(await workspaces.list(head, [])).toEqual([]);
  expect(await workspaces.readFile(head, "src/a.ts")).toEqual(Buffer.from("a\n"));
  expect(await workspaces.readFile(head, "./[odd].txt")).toEqual(Buffer.from("o\n"));
  for (const missing of ["src", "src/", "nope", "src/a.ts/x", ""]) expect(await workspaces.readFile(head, missing)).toBeUndefined();
  expect(await workspaces.diffStat(head, commit)).toEqual({
    files: [
      { path: "bin", added: 0, removed: 0, binary: true },
      { path: "src/a.ts", added: 1, removed: 0, binary: false },
      { path: "tab\tname", added: 1, removed: 0, binary: false },
    ],
  });
  expect(await workspaces.diff(head, commit, { paths: ["src"] })).toMatch(/^diff --git a\/src\/a.ts b\/src\/a.ts[^]*\n\+more\n$/);
  const cut = await workspaces.diff(head, commit, { maxBytes: 40 });
  expect(cut).toMatch(/^diff[^]*\n\[cut after 40 bytes\]\n$/);
  await expect(workspaces.list("1".repeat(40))).rejects.toMatchObject({
    code: "GIT_FAILED",
    exitCode: 128,
    stderr: expect.stringContaining("not a tree object"),
    args: expect.arrayContaining(["ls-tree"]),
  });
  expect(s.marks()).toEqual([]);
});

test("cleaning takes folders first and refs only when told, and never a branch somebody stands on", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { workspaces, head } = await s.workspaces(dir);
  const before = s.git(dir, "for-each-ref");
  await workspaces.createRunBranch(branch, head);
  const w = await workspaces.create({ runId: "run1", attempt: "run1/keep#1", from: head });
  await attempt(s, workspaces, head, "one", { a: "a" });
  await attempt(s, workspaces, head, "two", { b: "b" });
  s.git(dir, "pack-refs", "--all");
  expect(await workspaces.listLeftovers()).toEqual(["run1"]);
  await workspaces.releaseSnapshots("run1", ["run1/one#1", "run1/never#1"]);
  expect(s.git(dir, "for-each-ref", "--format=%(refname)", "refs/stepfall")).toBe("refs/stepfall/run1/two/1");
  await workspaces.cleanRun("run1");
  expect(readdirSync(join(s.home, "workspaces"))).toEqual([]);
  expect(w.root).toContain("keep-1");
  s.git(dir, "switch", "-q", "stepfall/run1");
  await expect(workspaces.cleanRun("run1", { branch: true })).rejects.toMatchObject({ code: "BRANCH_IN_USE" });
  s.git(dir, "switch", "-q", "main");
  await workspaces.cleanRun("run1", { branch: true });
  await workspaces.cleanRun("run1", { branch: true });
  expect(s.git(dir, "for-each-ref")).toBe(before);
  await expect(workspaces.cleanRun("../p")).rejects.toMatchObject({ code: "WORKSPACE_IO" });
});

test("after a whole run the user's checkout, branches, index, config and hooks are byte for byte what they were", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "a\n", "tests/t": "t\n", ".gitattributes": "*.txt filter=evil merge=evil diff=evil\n" });
  for (const [key, name] of [
    ["core.fsmonitor", "fsmonitor"],
    ["gpg.program", "gpg"],
    ["diff.external", "external"],
    ["diff.evil.textconv", "textconv"],
    ["merge.evil.driver", "driver"],
    ["core.pager", "pager"],
    ["core.editor", "editor"],
  ])
    s.git(dir, "config", key ?? "", s.tripwire(name ?? ""));
  s.git(dir, "config", "commit.gpgsign", "true");
  // Set last: from here on a plain `git add` would run it.
  for (const key of ["clean", "smudge", "process"]) s.git(dir, "config", `filter.evil.${key}`, s.tripwire(key));
  for (const hook of ["pre-commit", "post-checkout", "reference-transaction", "post-merge", "post-index-change", "post-commit"])
    s.write(dir, { [`.git/hooks/${hook}`]: `#!/bin/sh\ntouch '${s.markers}/${hook}'\n` });
  s.git(dir, "config", "core.hooksPath", join(dir, ".git/hooks"));
  for (const hook of readdirSync(join(dir, ".git/hooks"))) chmodSync(join(dir, ".git/hooks", hook), 0o755);
  s.write(dir, { "untracked.txt": "u\n", "a.txt": "the user is at work here\n" });
  const ours = (path: string): boolean =>
    path.startsWith(".git/objects/") ||
    path.startsWith(".git/refs/stepfall") ||
    path.startsWith(".git/refs/heads/stepfall") ||
    path.startsWith(".git/logs/refs/heads/stepfall");
  const before = contentsOf(dir, ours);

  const { workspaces, head } = await s.workspaces(dir);
  const dirty = await workspaces.snapshotDirty({ runId: "run1", at }).catch((e: { code: string }) => e.code);
  expect(dirty).toBe("DIRTY_FILTERED");
  await workspaces.createRunBranch(branch, head);
  let tip = head;
  for (const step of ["one", "two"]) {
    const { attempt: id, commit } = await attempt(s, workspaces, head, step, { [`${step}.txt`]: step, "tests/t": "weak" });
    const check = await workspaces.checkout({ runId: "run1", attempt: id, commit, purpose: "gates" });
    await check[Symbol.asyncDispose]();
    const merged = await workspaces.prepareMerge({ branch, attempt: id, commit, onto: tip, at, title: step });
    if (merged.kind !== "merged") throw new Error("conflict");
    await workspaces.diff(tip, merged.commit);
    await workspaces.advance(branch, tip, merged.commit);
    tip = merged.commit;
  }
  expect(contentsOf(dir, ours)).toEqual(before);
  await workspaces.cleanRun("run1", { branch: true });
  await workspaces.close();
  expect(contentsOf(dir, (path) => path.startsWith(".git/objects/"))).toEqual(before);
  expect(s.marks()).toEqual([]);
});
