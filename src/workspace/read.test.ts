import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openProject, openWorkspaces } from "./index.ts";
import { Scratch } from "./scratch-project.testkit.ts";

test("a file of a commit is told apart from a link, from one that is too large, and from nothing", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { "a.txt": "12345", "sub/b.txt": "x" });
  symlinkSync("a.txt", join(dir, "link.txt"));
  s.git(dir, "add", "--all");
  s.git(dir, "commit", "--quiet", "-m", "link");
  const workspaces = openWorkspaces({ project: await openProject(dir, { env: s.env }), home: s.home });
  const head = s.git(dir, "rev-parse", "HEAD");
  expect(await workspaces.readRegular(head, "a.txt", 5)).toEqual({ kind: "file", bytes: Buffer.from("12345") });
  expect(await workspaces.readRegular(head, "a.txt", 4)).toEqual({ kind: "large" });
  expect(await workspaces.readRegular(head, "link.txt", 100)).toEqual({ kind: "link" });
  for (const nothing of ["none", "sub", ""]) expect(await workspaces.readRegular(head, nothing, 100)).toBeUndefined();
  await workspaces.close();
});
