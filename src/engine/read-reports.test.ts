import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTexts, removeFiles } from "./read-reports.ts";

let folder: string;
let tree: string;
const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(tree, name)), { recursive: true });
  writeFileSync(join(tree, name), text);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-reports-"));
  tree = join(folder, "tree");
  mkdirSync(tree);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("files that match are read, in the order of their names, without the checkout's own path in them", async () => {
  write("out/b.xml", `<t file="${tree}/src/b.js" cwd="${tree}"/>`);
  write("out/deep/a.xml", "a");
  write("out/c.txt", "c");
  write("node_modules/x/out/d.xml", "d");
  expect(await readTexts(tree, ["out/**/*.xml"], tree)).toEqual(['<t file="src/b.js" cwd="."/>', "a"]);
  expect(await readTexts(tree, ["**/*.xml"], tree)).toHaveLength(2);
  expect(await readTexts(tree, ["./out/c.txt", "out/c.txt"], tree)).toEqual(["c"]);
  expect(await readTexts(tree, ["out/"], tree)).toHaveLength(3);
  expect(await readTexts(tree, ["none/*.xml", "none.xml"], tree)).toEqual([]);
});

test("nothing outside is read or removed: neither by a link, nor in a folder that is one", async () => {
  const secret = join(folder, "secret");
  mkdirSync(secret);
  writeFileSync(join(secret, "key.xml"), "secret");
  symlinkSync(join(secret, "key.xml"), join(tree, "link.xml"));
  symlinkSync(secret, join(tree, "out"));
  for (const glob of ["link.xml", "*.xml", "out/*.xml", "out/key.xml", "**/*.xml", "out"]) {
    expect(await readTexts(tree, [glob], tree), glob).toEqual([]);
    await removeFiles(tree, [glob]);
  }
  expect(existsSync(join(secret, "key.xml"))).toBe(true);
});

test("what was there before a command ran can be taken away", async () => {
  write("out/a.xml", "old");
  write("out/a.txt", "stays");
  await removeFiles(tree, ["out/*.xml"]);
  expect(await readTexts(tree, ["out/*"], tree)).toEqual(["stays"]);
});
