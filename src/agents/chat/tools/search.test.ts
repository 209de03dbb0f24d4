import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { Refused } from "./refused.ts";
import { search } from "./search.ts";
import { Tree } from "./tree.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "stepfall-search-"));
  for (const path of ["src/deep", "node_modules/x", ".git", ".hidden"]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "src/a.ts"), "const total = sum(1, 2);\n// sum.all\r\n");
  writeFileSync(join(root, "src/deep/b.js"), "sum()\n");
  writeFileSync(join(root, "node_modules/x/index.js"), "sum()\n");
  writeFileSync(join(root, ".git/config"), "sum()\n");
  writeFileSync(join(root, ".hidden/c.ts"), "sum-up\n");
  writeFileSync(join(root, ".gitignore"), "src/deep\n");
  writeFileSync(join(root, "image.bin"), Buffer.from([0, 1, 2, ...Buffer.from("sum")]));
  writeFileSync(join(root, "evil.txt"), `${"a".repeat(40)}!\n`);
  symlinkSync("/etc", join(root, "etc"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("search", () => {
  const find = (request: Partial<Parameters<typeof search>[1]>): string =>
    search(new Tree(root), { pattern: "sum", isRegex: false, path: ".", ...request });

  test("finds literal text in every text file but those of git and node_modules, ignored ones too", () => {
    expect(find({}).split("\n").toSorted()).toEqual(
      [".hidden/c.ts:1:sum-up", "src/a.ts:1:const total = sum(1, 2);", "src/a.ts:2:// sum.all", "src/deep/b.js:1:sum()"].toSorted(),
    );
  });
  test("takes a pattern literally unless told, and below a folder, and for a glob", () => {
    expect(find({ pattern: "sum.all" })).toBe("src/a.ts:2:// sum.all");
    expect(find({ pattern: "^sum\\(\\)", isRegex: true })).toBe("src/deep/b.js:1:sum()");
    expect(find({ pattern: "sum\\-up", isRegex: true })).toBe(".hidden/c.ts:1:sum-up");
    expect(find({ path: "src/deep" })).toBe("src/deep/b.js:1:sum()");
    expect(find({ path: "src/a.ts", pattern: "total" })).toBe("src/a.ts:1:const total = sum(1, 2);");
    expect(find({ glob: "*.js" }).split("\n")).toEqual(["src/deep/b.js:1:sum()"]);
    expect(find({ pattern: "-not-an-option" })).toBe("no hits");
    expect(find({ pattern: "root:" })).toBe("no hits"); // not through the symlink to /etc
  });
  test("refuses a pattern that is none", () => {
    expect(() => find({ pattern: "(", isRegex: true })).toThrow(Refused);
    expect(() => find({ pattern: "" })).toThrow(Refused);
    expect(() => find({ path: "nowhere" })).toThrow(Refused);
  });
});

test("a pattern that backtracks for ever is stopped", () => {
  const began = performance.now();
  expect(() => search(new Tree(root), { pattern: "^(a+)+$", isRegex: true, path: "evil.txt", timeoutMs: 300 })).toThrow(/took longer/);
  expect(performance.now() - began).toBeLessThan(10_000);
});

describe("a command", () => {
  const run = (command: string, timeoutMs = 10_000) => runCommand({ command, cwd: root, env: { PATH: "/usr/bin:/bin" }, timeoutMs });

  test("answers its exit code and both outputs", async () => {
    expect(await run("echo out; echo err >&2; exit 3")).toBe("[exit 3]\nout\nerr");
    expect(await run("true")).toBe("[exit 0, no output]");
    expect(await run("kill -9 $$")).toBe("[ended by SIGKILL, no output]");
  });
  test("has its long output cut in the middle", async () => {
    const output = await run("echo first; yes middle | head -c 3000000; echo last");
    expect(output.length).toBeLessThan(31_000);
    expect(output).toMatch(/^\[exit 0\]\nfirst\n[\s\S]*characters left out[\s\S]*last$/);
  });
  test("that leaves a child in the background answers at once", async () => {
    const began = performance.now();
    expect(await run("sleep 2 & echo started")).toBe("[exit 0]\nstarted");
    expect(performance.now() - began).toBeLessThan(1800);
  });
  test("that ignores TERM is killed after its timeout", async () => {
    expect(await run('trap "" TERM; echo in; while :; do sleep 0.1; done', 200)).toBe("[stopped after 0.2 s]\nin");
  });
});
