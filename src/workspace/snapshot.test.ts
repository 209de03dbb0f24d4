import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Workspace, Workspaces } from "./index.ts";
import { at, contentsOf, Scratch, snapshotOf } from "./scratch-project.testkit.ts";

async function start(
  s: Scratch,
  files: Record<string, string | Uint8Array>,
  attempt = "run1/build#1",
): Promise<{ w: Workspace; workspaces: Workspaces; head: string; dir: string }> {
  const dir = s.repository("p", files);
  const { workspaces, head } = await s.workspaces(dir);
  return { w: await workspaces.create({ runId: "run1", attempt, from: head }), workspaces, head, dir };
}

test("what an agent left becomes one commit by Stepfall that names the attempt", async () => {
  await using s = new Scratch();
  const { w, workspaces, head, dir } = await start(s, {
    "keep.txt": "k\n",
    "edit.txt": "e\n",
    "gone.txt": "g\n",
    "run.sh": "x\n",
    ".gitignore": "dist/\n",
  });
  s.write(w.tree, { "edit.txt": "E\n", "new/ü\n.txt": "n\n", "dist/out.js": "ignored\n", "bin.dat": new Uint8Array([0, 1, 2, 255]) });
  rmSync(join(w.tree, "gone.txt"));
  chmodSync(join(w.tree, "run.sh"), 0o755);
  symlinkSync("edit.txt", join(w.tree, "link"));
  const taken = await workspaces.snapshot(snapshotOf(w, { title: "Build it\nnow", trailers: { "Stepfall-Agent": "chat-mini" } }));

  expect(taken).toMatchObject({
    changed: ["bin.dat", "edit.txt", "gone.txt", "link", "new/ü\n.txt", "run.sh"],
    dropped: [],
    reverted: [],
    refused: [],
  });
  const commit = taken.commit ?? "";
  expect(s.git(dir, "rev-parse", "refs/stepfall/run1/build/1", `${commit}^`)).toBe(`${commit}\n${head}`);
  expect(s.git(dir, "log", "-1", "--format=%an <%ae>|%cn|%at %ct|%B", commit)).toBe(
    `Stepfall <stepfall@localhost>|Stepfall|${Math.floor(at / 1000)} ${Math.floor(at / 1000)}|Build it now\n\nStepfall-Agent: chat-mini\nStepfall-Attempt: run1/build#1\n`,
  );
  expect(s.git(dir, "ls-tree", commit, "run.sh", "link").replace(/[0-9a-f]{40}/g, "")).toBe("120000 blob \tlink\n100755 blob \trun.sh");
  expect(await workspaces.readFile(commit, "new/ü\n.txt")).toEqual(Buffer.from("n\n"));
  expect(await workspaces.snapshot(snapshotOf(w, { title: "Build it\nnow", trailers: { "Stepfall-Agent": "chat-mini" } }))).toEqual(taken);
});

test("no change is no commit, also when files were written again as they were", async () => {
  await using s = new Scratch();
  const { w, workspaces, dir } = await start(s, { "a.txt": "a\n" });
  rmSync(join(w.tree, "a.txt"));
  s.write(w.tree, { "a.txt": "a\n" });
  expect(await workspaces.snapshot(snapshotOf(w))).toEqual({ changed: [], dropped: [], reverted: [], refused: [] });
  expect(s.git(dir, "for-each-ref", "refs/stepfall")).toBe("");
});

test("an edit of the same length within the same second is seen", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "one\n" });
  writeFileSync(join(w.tree, "a.txt"), "two\n");
  await new Promise((resume) => setTimeout(resume, 1100));
  expect((await workspaces.snapshot(snapshotOf(w))).changed).toEqual(["a.txt"]);
});

test("the agent's own commits, staging and branches count for nothing: the work tree does", async () => {
  await using s = new Scratch();
  const { w, workspaces, head, dir } = await start(s, { "a.txt": "a\n" });
  s.write(w.tree, { "a.txt": "committed\n", "b.txt": "b\n" });
  s.git(w.tree, "add", "-A");
  s.git(w.tree, "commit", "-q", "-m", "mine");
  s.git(w.tree, "switch", "-q", "-c", "elsewhere");
  s.git(w.tree, "rm", "-q", "--cached", "b.txt");
  s.write(w.tree, { "a.txt": "in the end\n" });
  const { commit = "", changed } = await workspaces.snapshot(snapshotOf(w));
  expect(changed).toEqual(["a.txt", "b.txt"]);
  expect(s.git(dir, "rev-parse", `${commit}^`)).toBe(head);
  expect(s.git(dir, "show", `${commit}:a.txt`)).toBe("in the end");
});

test("nothing that an agent writes into .git of its tree is run", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "a\n", ".gitattributes": "*.txt filter=evil diff=evil merge=evil\n" });
  s.git(w.tree, "config", "core.fsmonitor", s.tripwire("fsmonitor"));
  s.git(w.tree, "config", "core.hooksPath", s.root);
  s.git(w.tree, "config", "core.sshCommand", s.tripwire("ssh"));
  for (const key of ["clean", "smudge", "process"]) s.git(w.tree, "config", `filter.evil.${key}`, s.tripwire(key));
  s.git(w.tree, "config", "diff.evil.textconv", s.tripwire("textconv"));
  s.git(w.tree, "config", "merge.evil.driver", s.tripwire("driver"));
  s.write(w.tree, { "a.txt": "b\n" });
  // The folder beside the tree is ours; an agent that finds it gains nothing either.
  execFileSync("git", ["config", "-f", join(w.root, "git/config"), "core.fsmonitor", s.tripwire("ours-fsmonitor")]);
  execFileSync("git", ["config", "-f", join(w.root, "git/config"), "filter.evil.clean", s.tripwire("ours-clean")]);
  const { commit = "", changed } = await workspaces.snapshot(snapshotOf(w));
  expect(changed).toEqual(["a.txt"]);
  await workspaces.diff(w.from, commit);
  await workspaces.ignored(w, ["**"]);
  await (await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit, purpose: "gates" }))[Symbol.asyncDispose]();
  expect(s.marks()).toEqual([]);
});

test("nested repositories are refused with their path, and the rest is kept", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "a\n", file: "f\n", "tracked/x.txt": "x\n" });
  s.repository("p2");
  for (const nested of ["vendor/lib", "unborn", "file"]) {
    rmSync(join(w.tree, nested), { recursive: true, force: true });
    mkdirSync(join(w.tree, nested), { recursive: true });
    s.git(join(w.tree, nested), "init", "-q");
    s.write(join(w.tree, nested), { "in.txt": "x" });
  }
  s.commit(join(w.tree, "vendor/lib"), "nested");
  // A repository over files that are tracked hides nothing.
  s.git(join(w.tree, "tracked"), "init", "-q");
  s.write(w.tree, { "tracked/y.txt": "y\n", "b.txt": "b\n" });
  const { commit = "", changed, refused } = await workspaces.snapshot(snapshotOf(w));
  expect(refused.map((r) => r.path)).toEqual(["file", "unborn", "vendor/lib"]);
  expect(refused[0]?.reason).toContain("git repository");
  expect(changed).toEqual(["b.txt", "tracked/y.txt"]);
  expect(await workspaces.list(commit)).toEqual(["a.txt", "b.txt", "file", "tracked/x.txt", "tracked/y.txt"]);
});

test("pipes, sockets and names that git forbids are refused, not a crash", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "a\n", "b.txt": "b\n" });
  rmSync(join(w.tree, "a.txt"));
  execFileSync("mkfifo", [join(w.tree, "a.txt"), join(w.tree, "fresh-pipe")]);
  const server = createServer().listen(join(w.tree, "s.sock"));
  await new Promise((resume) => server.once("listening", resume));
  s.write(w.tree, { ".GIT/config": "[core]\n", "x/git~1": "x", "c.txt": "c\n" });
  const { changed, refused } = await workspaces.snapshot(snapshotOf(w));
  server.close();
  expect(refused.map((r) => r.path)).toEqual([".GIT/config", "a.txt", "x/git~1"]);
  expect(changed).toEqual(["c.txt"]);
});

test("a file that became a folder, a folder that became a link, and the other way round", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { file: "f\n", "dir/a": "a\n", "dir/b": "b\n", "swap/x": "x\n" });
  rmSync(join(w.tree, "file"));
  s.write(w.tree, { "file/inside": "i\n" });
  rmSync(join(w.tree, "dir"), { recursive: true });
  s.write(w.tree, { dir: "now a file\n" });
  renameSync(join(w.tree, "swap"), join(w.home, "swap"));
  symlinkSync(join(w.home, "swap"), join(w.tree, "swap"));
  const { commit = "", changed } = await workspaces.snapshot(snapshotOf(w));
  expect(changed).toEqual(["dir", "dir/a", "dir/b", "file", "file/inside", "swap", "swap/x"]);
  expect(await workspaces.list(commit)).toEqual(["dir", "file/inside", "swap"]);
});

test("a tree that was removed or replaced is an error by name; a removed .git is not even noticed", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "a\n" });
  rmSync(join(w.tree, ".git"), { recursive: true });
  s.write(w.tree, { "b.txt": "b\n" });
  expect((await workspaces.snapshot(snapshotOf(w))).changed).toEqual(["b.txt"]);
  writeFileSync(join(w.tree, ".git"), "gitdir: /nowhere\n");
  expect((await workspaces.snapshot(snapshotOf(w))).changed).toEqual(["b.txt"]);
  renameSync(w.tree, join(w.root, "elsewhere"));
  symlinkSync(join(w.root, "elsewhere"), w.tree);
  await expect(workspaces.snapshot(snapshotOf(w))).rejects.toMatchObject({ code: "WORKSPACE_GONE" });
  rmSync(w.tree);
  await expect(workspaces.snapshot(snapshotOf(w))).rejects.toMatchObject({ code: "WORKSPACE_GONE" });
  await workspaces.remove(w);
  expect(existsSync(w.root)).toBe(false);
});

test("protected paths come back from the base: changed, deleted or added", async () => {
  await using s = new Scratch();
  const { w, workspaces, dir } = await start(s, {
    "stepfall.yaml": "version: 1\n",
    "tests/a.test.ts": "strict\n",
    "tests/b.test.ts": "b\n",
    "src/x.ts": "x\n",
    "package.json": "{}\n",
  });
  s.write(w.tree, {
    "stepfall.yaml": "gates: []\n",
    "tests/a.test.ts": "weak\n",
    "tests/.hidden": "h\n",
    "tests/new\nline.ts": "n\n",
    "src/x.ts": "X\n",
  });
  rmSync(join(w.tree, "tests/b.test.ts"));
  chmodSync(join(w.tree, "package.json"), 0o755);
  const { commit = "", changed, dropped } = await workspaces.snapshot(snapshotOf(w, { protected: ["tests/**", "./package.json"] }));
  expect(changed).toEqual(["src/x.ts"]);
  expect(dropped).toEqual(["package.json", "stepfall.yaml", "tests/.hidden", "tests/a.test.ts", "tests/b.test.ts", "tests/new\nline.ts"]);
  expect(s.git(dir, "diff", "--name-only", w.from, commit)).toBe("src/x.ts");
});

test("an attempt that changed nothing but protected paths changed nothing", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "tests/a": "a\n" });
  s.write(w.tree, { "tests/a": "b\n" });
  expect(await workspaces.snapshot(snapshotOf(w, { protected: ["tests"] }))).toEqual({
    changed: [],
    dropped: ["tests/a"],
    reverted: [],
    refused: [],
  });
});

test("protected means the run's base, also where an earlier step changed the path; that is told", async () => {
  await using s = new Scratch();
  const { w, workspaces, head: base, dir } = await start(s, { "tests/a": "base\n", "tests/b": "base\n" });
  s.write(w.tree, { "tests/a": "first step\n", "tests/c": "new\n" });
  const first = await workspaces.snapshot(snapshotOf(w));
  const second = await workspaces.create({ runId: "run1", attempt: "run1/next#1", from: first.commit ?? "" });
  const quiet = await workspaces.snapshot(snapshotOf(second, { base, protected: ["tests/**"] }));
  expect(quiet.commit).toBeUndefined();
  s.write(second.tree, { "src/x": "x\n", "tests/b": "weak\n" });
  const { commit = "", changed, dropped, reverted } = await workspaces.snapshot(snapshotOf(second, { base, protected: ["tests/**"] }));
  expect({ changed, dropped, reverted }).toEqual({
    changed: ["src/x", "tests/a", "tests/c"],
    dropped: ["tests/b"],
    reverted: ["tests/a", "tests/c"],
  });
  expect(s.git(dir, "diff", "--name-only", base, commit)).toBe("src/x");
});

test("what stands in the place of a protected path is refused", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "tests/a": "a\n", conf: "c\n" });
  rmSync(join(w.tree, "tests"), { recursive: true });
  rmSync(join(w.tree, "conf"));
  s.write(w.tree, { tests: "a file\n", "conf/x": "x\n", "ok.txt": "o\n" });
  const taken = await workspaces.snapshot(snapshotOf(w, { protected: ["tests/*", "con?"] }));
  expect(taken).toMatchObject({ changed: ["ok.txt"], dropped: ["conf", "tests/a"], refused: [{ path: "conf/x" }, { path: "tests" }] });
});

test("files whose line endings are not what .gitattributes ask for are no change of the attempt's", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "crlf.txt": "a\r\nb\r\n", "lf.bat": "a\n" });
  s.write(dir, { ".gitattributes": "*.txt text\n*.bat eol=crlf\n" });
  s.git(dir, "add", ".gitattributes");
  s.git(dir, "commit", "-q", "-m", "attributes");
  const { workspaces, head } = await s.workspaces(dir);
  const w = await workspaces.create({ runId: "run1", attempt: "run1/a#1", from: head });
  expect(readFileSync(join(w.tree, "lf.bat"), "utf8")).toBe("a\r\n");
  expect((await workspaces.snapshot(snapshotOf(w))).changed).toEqual([]);
  s.write(w.tree, { "lf.bat": "b\r\n" });
  const { commit = "", changed } = await workspaces.snapshot(snapshotOf(w));
  expect(changed).toEqual(["lf.bat"]);
  expect(await workspaces.readFile(commit, "lf.bat")).toEqual(Buffer.from("b\n"));
});

test("names that are not UTF-8 are kept byte by byte", async () => {
  await using s = new Scratch();
  const { w, workspaces, dir } = await start(s, { "a.txt": "a\n" });
  writeFileSync(Buffer.concat([Buffer.from(`${w.tree}/caf`), Buffer.from([0xe9])]), "latin1\n");
  const { commit = "" } = await workspaces.snapshot(snapshotOf(w));
  expect(s.git(dir, "ls-tree", "--name-only", commit)).toBe('a.txt\n"caf\\351"');
});

test("declared outputs that .gitignore keeps out can be named", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { ".gitignore": "dist/\n*.log\n", "src/a.ts": "a\n" });
  s.write(w.tree, { "dist/x.js": "x", "dist/sub/y.js": "y", "dist/z.css": "z", "a.log": "l", "src/b.ts": "b" });
  expect(await workspaces.ignored(w, ["dist/**/*.js", "src/*"])).toEqual(["dist/sub/y.js", "dist/x.js"]);
  expect(await workspaces.ignored(w, ["dist/x.js", "missing/y"])).toEqual(["dist/x.js"]);
  expect(await workspaces.ignored(w, ["*.{log,tmp}"])).toEqual(["a.log"]);
  expect(await workspaces.ignored(w, ["dist"])).toEqual(["dist/sub/y.js", "dist/x.js", "dist/z.css"]);
  expect(await workspaces.ignored(w, ["missing"])).toEqual([]);
});

test("a snapshot that was cut off is simply taken again", async () => {
  await using s = new Scratch();
  const { w, workspaces } = await start(s, { "a.txt": "a\n" });
  s.write(w.tree, { "a.txt": "b\n" });
  const before = contentsOf(join(w.root, "git"), (p) => p === "config");
  writeFileSync(join(w.root, "git/index.lock"), "");
  const taken = await workspaces.snapshot(snapshotOf(w));
  rmSync(join(w.root, "git/index.lock"));
  expect(taken.changed).toEqual(["a.txt"]);
  expect(contentsOf(join(w.root, "git"), (p) => p === "config")).toEqual(before);
});

// root reads everything, so as root this runs without the capabilities that let it.
test("folders and files an agent locked are opened, not lost", async () => {
  await using s = new Scratch();
  const script = `
    const { Scratch, snapshotOf } = await import(${JSON.stringify(join(import.meta.dirname, "scratch-project.testkit.ts"))});
    const { chmodSync } = await import("node:fs");
    await using s = new Scratch();
    const dir = s.repository("p", { "locked/a.txt": "a\\n", "b.txt": "b\\n", "keep/c.txt": "c\\n" });
    const { workspaces, head } = await s.workspaces(dir);
    const w = await workspaces.create({ runId: "run1", attempt: "run1/a#1", from: head });
    s.write(w.tree, { "locked/a.txt": "A\\n", "locked/new.txt": "n\\n", "b.txt": "B\\n", "fresh.txt": "f\\n" });
    chmodSync(w.tree + "/b.txt", 0); chmodSync(w.tree + "/fresh.txt", 0); chmodSync(w.tree + "/locked", 0);
    const { commit, changed, refused } = await workspaces.snapshot(snapshotOf(w));
    const modes = s.git(dir, "ls-tree", "-r", commit).split("\\n").map((l) => l.slice(0, 6));
    chmodSync(w.tree + "/keep", 0o555);
    await workspaces.remove(w);
    console.log(JSON.stringify({ changed, refused, modes, left: await workspaces.listLeftovers() }));`;
  const isRoot = process.getuid?.() === 0;
  const command = [...(isRoot ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : []), process.execPath];
  const { stdout, stderr } = spawnSync(command[0] ?? "", [...command.slice(1), "--input-type=module", "-e", script], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", TMPDIR: s.root, HOME: s.root },
    encoding: "utf8",
  });
  expect(stderr.replace(/\(node:.*|.*ExperimentalWarning.*|\(Use .*/g, "").trim()).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    changed: ["b.txt", "fresh.txt", "locked/a.txt", "locked/new.txt"],
    refused: [],
    modes: Array(5).fill("100644"),
    left: ["run1"],
  });
});

test("whatever is done to a tree, its snapshot is that tree", async () => {
  await using s = new Scratch();
  const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`d${i % 3}/f${i}`, `${i}\n`]));
  const dir = s.repository("p", files);
  const { workspaces, head } = await s.workspaces(dir);
  const paths = ["d0/f0", "d0/f3", "d1/f1", "d1", "d2/new", "top", "d0/sub/x", "ä b"];
  const action = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom("write", "remove", "chmod", "link"),
    text: fc.string({ maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 8 }), async (actions) => {
      const w = await workspaces.create({ runId: "run1", attempt: "run1/any#1", from: head });
      for (const { path, kind, text } of actions) {
        const full = join(w.tree, path);
        try {
          if (kind !== "chmod") rmSync(full, { recursive: true, force: true });
          if (kind === "write") s.write(w.tree, { [path]: text });
          if (kind === "link") symlinkSync(text.replaceAll("\0", "") || "x", full);
          if (kind === "chmod") chmodSync(full, 0o755);
        } catch {
          // The path above is a file or a link: then this action is none.
        }
      }
      const { commit } = await workspaces.snapshot(snapshotOf(w));
      await using check = await workspaces.checkout({ runId: "run1", attempt: w.attempt, commit: commit ?? head, purpose: "gates" });
      expect(shape(check.tree)).toEqual(shape(w.tree));
    }),
    { numRuns: 25 },
  );
});

/** Files without times, and modes as git knows them. */
function shape(tree: string): Record<string, string> {
  const all = contentsOf(tree, (p) => p === ".git");
  return Object.fromEntries(
    Object.entries(all).map(([p, v]) => [
      p,
      v.startsWith("->") ? v : `${(lstatSync(join(tree, p)).mode & 0o100) !== 0} ${v.split(" ")[2]}`,
    ]),
  );
}
