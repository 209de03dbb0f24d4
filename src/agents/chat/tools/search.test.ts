import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { findRipgrep, search } from "./search.ts";
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

const ripgrep = findRipgrep(process.env["PATH"]);

describe.each([
  ["in JavaScript", undefined],
  ["by ripgrep", ripgrep],
])("search %s", (name, program) => {
  // Not every machine has it; the same expectations hold for both.
  const each = test.skipIf(name === "by ripgrep" && program === undefined);
  const find = (request: Partial<Parameters<typeof search>[1]>) =>
    search(new Tree(root), { pattern: "sum", isRegex: false, path: ".", ...request }, program);

  each("finds literal text in every text file but those of git and node_modules, ignored ones too", async () => {
    expect((await find({})).split("\n").toSorted()).toEqual(
      [".hidden/c.ts:1:sum-up", "src/a.ts:1:const total = sum(1, 2);", "src/a.ts:2:// sum.all", "src/deep/b.js:1:sum()"].toSorted(),
    );
  });
  each("takes a pattern literally unless told, and below a folder, and for a glob", async () => {
    expect(await find({ pattern: "sum.all" })).toBe("src/a.ts:2:// sum.all");
    expect(await find({ pattern: "^sum\\(\\)", isRegex: true })).toBe("src/deep/b.js:1:sum()");
    expect(await find({ pattern: "sum\\-up", isRegex: true })).toBe(".hidden/c.ts:1:sum-up");
    expect(await find({ path: "src/deep" })).toBe("src/deep/b.js:1:sum()");
    expect(await find({ path: "src/a.ts", pattern: "total" })).toBe("src/a.ts:1:const total = sum(1, 2);");
    expect((await find({ glob: "*.js" })).split("\n")).toEqual(["src/deep/b.js:1:sum()"]);
    expect(await find({ pattern: "-not-an-option" })).toBe("no hits");
    expect(await find({ pattern: "root:" })).toBe("no hits"); // not through the symlink to /etc
  });
  each("refuses a pattern that is none", async () => {
    await expect(find({ pattern: "(", isRegex: true })).rejects.toMatchObject({ name: "Refused" });
    await expect(find({ pattern: "" })).rejects.toMatchObject({ name: "Refused" });
    await expect(find({ path: "nowhere" })).rejects.toMatchObject({ name: "Refused" });
  });
});

test("a pattern that backtracks for ever is stopped", async () => {
  const began = performance.now();
  await expect(search(new Tree(root), { pattern: "^(a+)+$", isRegex: true, path: "evil.txt", timeoutMs: 300 }, undefined)).rejects.toThrow(
    /took longer/,
  );
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
