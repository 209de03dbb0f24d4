import { expect, test } from "vitest";
import { installedIn, programFolders } from "./program-folders.ts";

test("an installed package is read with what it needs, which lies beside it", () => {
  expect(installedIn("/usr/lib/node_modules/stepfall/")).toBe("/usr/lib/node_modules");
  expect(installedIn("/p/node_modules/.pnpm/stepfall@1/node_modules/stepfall/")).toBe("/p/node_modules");
  expect(installedIn("/src/stepfall/")).toBe("/src/stepfall/");
  expect(programFolders()).toHaveLength(2);
});
