import { chmodSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { GitFailed, openProject, openWorkspaces, WorkspaceError } from "./index.ts";
import { createGit, Slots } from "./git.ts";
import { Scratch } from "./scratch-project.testkit.ts";

test("a failure carries the command, its exit code and what it said", async () => {
  await using s = new Scratch();
  const git = createGit({ env: s.env, flags: ["-c", "a.b=c"], slots: new Slots(1) });
  const error: unknown = await git(["-C", s.root, "rev-parse", "--verify", "nope"]).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(GitFailed);
  expect(error).toBeInstanceOf(WorkspaceError);
  expect(error).toMatchObject({
    code: "GIT_FAILED",
    exitCode: 128,
    args: ["-c", "a.b=c", "-C", s.root, "rev-parse", "--verify", "nope"],
    stderr: expect.stringContaining("not a git repository"),
  });
  expect((error as Error).message).toMatch(/^git rev-parse --verify nope failed \(exit 128\)/);
});

test("output has a bound: it is cut when asked to, and else an error", async () => {
  await using s = new Scratch();
  const dir = s.repository("p", { big: "x".repeat(100_000) });
  const git = createGit({ env: s.env, slots: new Slots(1) });
  const args = ["-C", dir, "cat-file", "blob", "HEAD:big"];
  expect((await git(args)).stdout.length).toBe(100_000);
  const cut = await git(args, { maxBytes: 1000, cut: true });
  expect({ size: cut.stdout.length, wasCut: cut.wasCut }).toEqual({ size: 1000, wasCut: true });
  await expect(git(args, { maxBytes: 1000 })).rejects.toMatchObject({
    code: "GIT_FAILED",
    stderr: expect.stringContaining("longer than 1000 bytes"),
  });
});

test("no more commands run at a time than there are slots, and all of them run", async () => {
  const slots = new Slots(3);
  let running = 0;
  let most = 0;
  const work = async (i: number): Promise<number> => {
    most = Math.max(most, ++running);
    await wait(1);
    running -= 1;
    if (i % 5 === 0) throw new Error("a failure gives its slot back");
    return i;
  };
  const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => slots.use(() => work(i))));
  expect(most).toBe(3);
  expect(answers.filter((a) => a.status === "fulfilled")).toHaveLength(32);
});

test("an abort ends the git that is running, and no other is started", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const project = await openProject(dir, { env: s.env });
  writeFileSync(s.path("git"), "#!/bin/sh\nexec sleep 30\n");
  chmodSync(s.path("git"), 0o755);
  const stop = new AbortController();
  const slow = openWorkspaces({
    project: { ...project, env: { ...s.env, PATH: `${s.root}:${s.env.PATH}` } },
    home: s.home,
    signal: stop.signal,
  });
  const branch = { runId: "run1", name: "stepfall/run1" };
  const answer = slow.tip(branch);
  setTimeout(() => stop.abort(), 100);
  const startedAt = performance.now();
  await expect(answer).rejects.toMatchObject({ code: "GIT_STOPPED" });
  await expect(slow.create({ runId: "run1", attempt: "run1/a#1", from: project.head })).rejects.toMatchObject({ code: "GIT_STOPPED" });
  await slow.close();
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
