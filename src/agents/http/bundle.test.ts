import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bundleOf, defaultBundleLimits } from "./bundle.ts";
import { tempFolder } from "./remote.testkit.ts";

function tree(): string {
  const root = tempFolder();
  for (const folder of [".git", "node_modules/x", "src/deep"]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, ".git/config"), "secret");
  writeFileSync(join(root, "node_modules/x/index.js"), "");
  writeFileSync(join(root, ".env.example"), "A=1\n");
  writeFileSync(join(root, "src/deep/é.ts"), "é\n");
  writeFileSync(join(root, "src/latin.ts"), Buffer.from([0xe9, 0x0a]));
  writeFileSync(join(root, "src/logo.png"), Buffer.from([1, 0, 2]));
  writeFileSync(join(root, "src/long.ts"), "x".repeat(5000));
  writeFileSync(join(root, "src/sum.ts"), "export {};\n");
  symlinkSync("/etc/passwd", join(root, "src/passwd.ts"));
  symlinkSync("/etc", join(root, "src/etc"));
  return root;
}
const list = [".env.example", "src/deep/é.ts", "src/latin.ts", "src/logo.png", "src/long.ts", "src/sum.ts"];

test("without touches nothing but the names is sent: neither git's files nor what a symlink leads to", () => {
  expect(bundleOf(tree(), [])).toEqual({ list, truncated: false, contents: [], omitted: [] });
});

test("with touches the text files that match are sent, and what is left out is said with its reason", () => {
  const bundle = bundleOf(tree(), ["src/**"], { ...defaultBundleLimits, fileBytes: 1000 });
  expect(bundle.contents.map(({ path }) => path)).toEqual(["src/deep/é.ts", "src/sum.ts"]);
  expect(bundle.omitted).toEqual([
    { path: "src/latin.ts", because: "binary" },
    { path: "src/logo.png", because: "binary" },
    { path: "src/long.ts", because: "too large" },
  ]);
});

test("the bundle keeps to its limits, and says where it stopped", () => {
  const bundle = bundleOf(tree(), ["**"], { listed: 6, fileBytes: 10_000, bytes: 5000 });
  expect(bundle.contents.map(({ path }) => path)).toEqual([".env.example", "src/deep/é.ts", "src/sum.ts"]);
  expect(bundle.omitted).toContainEqual({ path: "src/long.ts", because: "limit reached" });
  expect(bundleOf(tree(), [], { ...defaultBundleLimits, listed: 2 })).toMatchObject({ list: list.slice(0, 2), truncated: true });
});
