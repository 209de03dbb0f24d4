import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  cacheEnvironment,
  cacheFolder,
  deleteOurRefs,
  leftCheckouts,
  leftWorkspace,
  listOurRefs,
  listWorkspaceFolders,
  openProject,
  removeLeftover,
  workspaceFolderName,
} from "./index.ts";
import { Scratch } from "./scratch-project.testkit.ts";

const attempt = "run1/build/Web#2";

test("the places that an engine left of an attempt are found by its name, and listed with its run", async () => {
  await using s = new Scratch();
  const { workspaces, head } = await s.workspaces(s.repository("p"));
  expect(await leftWorkspace(s.home, attempt)).toBeUndefined();
  expect(await leftCheckouts(s.home, attempt)).toEqual(new Map());
  const { root, tree, home, tmp } = await workspaces.create({ runId: "run1", attempt, from: head });
  const { tree: gatesTree } = await workspaces.checkout({ runId: "run1", attempt, commit: head, purpose: "gates-1a2b" });
  expect(await leftWorkspace(s.home, attempt)).toEqual({ root, tree, home, tmp });
  const checkouts = await leftCheckouts(s.home, attempt);
  expect([...checkouts.keys()]).toEqual(["gates-1a2b"]);
  expect(checkouts.get("gates-1a2b")).toMatchObject({ tree: gatesTree });
  expect(await listWorkspaceFolders(s.home)).toEqual([{ runId: "run1", name: workspaceFolderName(attempt), path: root }]);
  await removeLeftover(s.home, "workspaces", root);
  expect(existsSync(root)).toBe(false);
  await workspaces.close();
});

test("nothing outside of the part of the home that was named is removed", async () => {
  await using s = new Scratch();
  mkdirSync(join(s.home, "cache"), { recursive: true });
  for (const path of [join(s.home, "cache"), join(s.home, "workspaces/../cache"), join(s.home, "workspaces"), "/tmp"])
    await expect(removeLeftover(s.home, "workspaces", path)).rejects.toMatchObject({ code: "WORKSPACE_IO" });
  expect(existsSync(join(s.home, "cache"))).toBe(true);
});

test("our refs are told by run and age, and one that has moved since is not deleted", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const first = s.git(dir, "rev-parse", "HEAD");
  writeFileSync(join(dir, "x"), "x");
  const second = s.commit(dir, "second");
  for (const ref of ["refs/stepfall/run1/a/1", "refs/stepfall/dirty/run2"]) s.git(dir, "update-ref", ref, first);
  const project = await openProject(dir, { env: s.env });
  const refs = await listOurRefs(project, s.home);
  expect(refs.map(({ ref, runId, commit }) => ({ ref, runId, commit }))).toEqual([
    { ref: "refs/stepfall/dirty/run2", runId: "run2", commit: first },
    { ref: "refs/stepfall/run1/a/1", runId: "run1", commit: first },
  ]);
  expect(refs[0]?.at).toBe(Number(s.git(dir, "show", "-s", "--format=%ct", first)) * 1000);
  s.git(dir, "update-ref", "refs/stepfall/run1/a/1", second);
  await expect(deleteOurRefs(project, s.home, refs)).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect(await listOurRefs(project, s.home)).toHaveLength(2);
  await deleteOurRefs(project, s.home, await listOurRefs(project, s.home));
  expect(s.git(dir, "for-each-ref", "refs/stepfall/")).toBe("");
  expect(s.git(dir, "rev-parse", "main")).toBe(second);
});

test("the folder of a project's caches is the one its attempts are given", async () => {
  expect(cacheEnvironment("/h", "p")["npm_config_cache"]).toBe(join(cacheFolder("/h", "p"), "npm"));
});
