import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { openProject, WorkspaceError, type WorkspaceErrorCode } from "./index.ts";
import { contentsOf, Scratch } from "./scratch-project.testkit.ts";

async function refusal(dir: string, env: Record<string, string>): Promise<WorkspaceErrorCode> {
  const error: unknown = await openProject(dir, { env }).catch((e: unknown) => e);
  if (!(error instanceof WorkspaceError)) throw new Error(`it was not refused: ${JSON.stringify(error)}`);
  expect(error.message.length).toBeGreaterThan(10);
  expect(error.hint.length).toBeGreaterThan(10);
  return error.code;
}

test("a plain repository is described as it is", async () => {
  await using s = new Scratch();
  const dir = s.repository("plain project", { "a.txt": "a\n", "b.txt": "b\n", ".gitignore": "*.log\n" });
  s.write(dir, { "a.txt": "changed\n", "new file.txt": "n\n", "noise.log": "x\n" });
  expect(await openProject(dir, { env: s.env })).toMatchObject({
    top: dir,
    commonDir: join(dir, ".git"),
    gitDir: join(dir, ".git"),
    objectsDir: join(dir, ".git/objects"),
    head: s.git(dir, "rev-parse", "HEAD"),
    branch: "main",
    objectFormat: "sha1",
    shallow: false,
    dirty: ["a.txt", "new file.txt"],
  });
});

test("a project is found from a subfolder, through a link and from a linked work tree, and is the same project", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "src/deep/a.txt": "a\n" });
  s.git(dir, "worktree", "add", "-q", "-b", "side", s.path("linked"));
  symlinkSync(dir, s.path("link"));
  const main = await openProject(dir, { env: s.env });
  expect(await openProject(join(dir, "src/deep"), { env: s.env })).toMatchObject({ top: dir, id: main.id });
  expect(await openProject(s.path("link"), { env: s.env })).toMatchObject({ top: dir, id: main.id });
  expect(await openProject(s.path("linked"), { env: s.env })).toMatchObject({
    top: s.path("linked"),
    commonDir: join(dir, ".git"),
    branch: "side",
    id: main.id,
  });
});

test("a detached HEAD has no branch", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  s.git(dir, "switch", "-q", "--detach");
  expect((await openProject(dir, { env: s.env })).branch).toBeUndefined();
});

test("variables that tie git to another repository are not listened to", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const other = s.repository("other", { "other.txt": "o\n" });
  const env = { ...s.env, GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, ".git/index") };
  expect((await openProject(dir, { env })).top).toBe(dir);
});

test("what is no repository, or has no commit or no files, is refused by name", async () => {
  await using s = new Scratch();
  mkdirSync(s.path("none"));
  expect(await refusal(s.path("none"), s.env)).toBe("PROJECT_NOT_GIT");
  expect(await refusal(s.path("missing"), s.env)).toBe("PROJECT_NOT_GIT");
  s.git(s.root, "init", "-q", s.path("empty"));
  expect(await refusal(s.path("empty"), s.env)).toBe("PROJECT_NO_COMMIT");
  s.git(s.root, "init", "-q", "--bare", s.path("bare"));
  expect(await refusal(s.path("bare"), s.env)).toBe("PROJECT_BARE");
  expect(await refusal(join(s.repository("p"), ".git"), s.env)).toBe("PROJECT_NOT_GIT");
});

test("LFS is refused wherever HEAD asks for it, and a comment about it is not", async () => {
  await using s = new Scratch();
  expect(
    await refusal(
      s.repository("lfs", { "assets/.gitattributes": "# images\n*.png filter=lfs diff=lfs merge=lfs -text\n", "a.png": "x" }),
      s.env,
    ),
  ).toBe("PROJECT_LFS");
  const harmless = s.repository("harmless", { ".gitattributes": "# *.png filter=lfs\n*.txt text\n", "x.gitattributes": "* filter=lfs\n" });
  expect((await openProject(harmless, { env: s.env })).top).toBe(harmless);
});

test("submodules are refused by their gitlink or by .gitmodules", async () => {
  await using s = new Scratch();
  const inner = s.repository("inner");
  const dir = s.repository("outer");
  s.git(dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "libs/inner");
  s.commit(dir, "submodule");
  expect(await refusal(dir, s.env)).toBe("PROJECT_SUBMODULES");
  expect(await refusal(s.repository("modules", { ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = y\n' }), s.env)).toBe(
    "PROJECT_SUBMODULES",
  );
});

test("a shallow clone is accepted, a partial one is refused", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  s.commit(dir, "second");
  s.git(dir, "config", "uploadpack.allowFilter", "true");
  s.git(s.root, "clone", "-q", "--depth", "1", pathToFileURL(dir).href, s.path("shallow"));
  expect((await openProject(s.path("shallow"), { env: s.env })).shallow).toBe(true);
  s.git(s.root, "clone", "-q", "--filter=blob:none", pathToFileURL(dir).href, s.path("partial"));
  expect(await refusal(s.path("partial"), s.env)).toBe("PROJECT_SHALLOW_OBJECTS");
});

test("a repository that has lost the commit HEAD names is broken, not empty", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  writeFileSync(join(dir, ".git/refs/heads/main"), `${"1".repeat(40)}\n`);
  expect(await refusal(dir, s.env)).toBe("PROJECT_SHALLOW_OBJECTS");
});

test("an old git, or none, is refused by name", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  mkdirSync(s.path("bin"));
  expect(await refusal(dir, { ...s.env, PATH: s.path("bin") })).toBe("GIT_MISSING");
  writeFileSync(s.path("bin/git"), "#!/bin/sh\necho git version 2.37.9\n");
  chmodSync(s.path("bin/git"), 0o755);
  expect(await refusal(dir, { ...s.env, PATH: s.path("bin") })).toBe("GIT_TOO_OLD");
});

test.runIf(process.getuid?.() === 0)("git's ownership check counts, and the user's own exception to it does too", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { chownSync } = await import("node:fs");
  for (const path of [dir, join(dir, ".git")]) chownSync(path, 65534, 65534);
  expect(await refusal(dir, s.env)).toBe("PROJECT_NOT_OWNED");
  writeFileSync(join(s.userHome, ".gitconfig"), `[safe]\n\tdirectory = ${dir}\n`);
  expect((await openProject(dir, { env: s.env })).top).toBe(dir);
});

test("opening a project runs no program of its config and writes nothing, not even the index", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { ".gitattributes": "*.txt filter=evil\n", "a.txt": "a\n" });
  s.git(dir, "config", "core.fsmonitor", s.tripwire("fsmonitor"));
  s.git(dir, "config", "core.hooksPath", s.root);
  s.git(dir, "config", "filter.evil.clean", s.tripwire("clean"));
  s.git(dir, "config", "filter.evil.process", s.tripwire("process"));
  s.git(dir, "config", "filter.evil.required", "true");
  s.write(dir, { "a.txt": "b\n" });
  const before = contentsOf(dir);
  expect((await openProject(dir, { env: s.env })).dirty).toEqual(["a.txt"]);
  expect(s.marks()).toEqual([]);
  expect(contentsOf(dir)).toEqual(before);
});

test("the user's own excludes count when uncommitted files are listed", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  s.write(s.userHome, { ".config/git/ignore": "*.swp\n" });
  s.write(dir, { "a.swp": "x", "b.txt": "y" });
  expect((await openProject(dir, { env: s.env })).dirty).toEqual(["b.txt"]);
});
