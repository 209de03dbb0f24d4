import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { at, Scratch, snapshotOf } from "./scratch-project.testkit.ts";

const count = 50_000;

function largeRepository(s: Scratch): string {
  const dir = s.path("large");
  mkdirSync(dir);
  s.git(dir, "init", "-q", "-b", "main");
  const files = Array.from(
    { length: count },
    (_, i) => `M 100644 inline d${i % 100}/e${i % 1000}/file-${i}.txt\ndata 12\nfile ${String(i).padStart(6, "0")}\n`,
  );
  const input = `commit refs/heads/main\ncommitter User <user@localhost> 1700000000 +0000\ndata 5\nlarge\n${files.join("")}\n`;
  const { status, stderr } = spawnSync("git", ["-C", dir, "fast-import", "--quiet"], {
    input,
    env: s.env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  // The user's index without their files: what matters here is in the workspace.
  s.git(dir, "read-tree", "HEAD");
  s.git(dir, "config", "core.bare", "false");
  s.git(dir, "sparse-checkout", "set", "--no-cone", "d0/");
  return dir;
}

/** Times go to stdout for whoever measures; the limits here only catch what is wrong by a factor. */
test("50,000 files: workspace, snapshot, gates, merge and removal", { timeout: 240_000 }, async () => {
  await using s = new Scratch();
  const dir = largeRepository(s);
  const times: Record<string, number> = {};
  const timed = async <T>(name: string, work: () => PromiseLike<T>): Promise<T> => {
    const startedAt = performance.now();
    const answer = await work();
    times[name] = Math.round(performance.now() - startedAt);
    return answer;
  };
  const { workspaces, head } = await timed("open", () => s.workspaces(dir));
  const branch = { runId: "run1", name: "stepfall/run1" };
  await workspaces.createRunBranch(branch, head);
  const w = await timed("create", () => workspaces.create({ runId: "run1", attempt: "run1/a#1", from: head }));
  expect(readdirSync(w.tree)).toHaveLength(101);
  for (let i = 0; i < 1000; i++) writeFileSync(join(w.tree, `d${i % 100}`, `made-${i}.txt`), `${i}\n`);
  const { commit = "", changed } = await timed("snapshot", () => workspaces.snapshot(snapshotOf(w, { protected: ["tests/**"] })));
  expect(changed).toHaveLength(1000);
  await timed("agent's git status", async () => expect(s.git(w.tree, "status", "--porcelain").split("\n")).toHaveLength(1000));
  const check = await timed("checkout", () => workspaces.checkout({ runId: "run1", attempt: w.attempt, commit, purpose: "gates" }));
  const merged = await timed("merge", () =>
    workspaces.prepareMerge({ branch, attempt: w.attempt, commit, onto: head, at, title: "merge" }),
  );
  expect(merged.kind).toBe("merged");
  expect(await timed("list", () => workspaces.list(commit, ["d1/**/*-1.txt"]))).toHaveLength(2);
  await timed("dispose", () => check[Symbol.asyncDispose]());
  await timed("remove", () => workspaces.remove(w));
  console.log("50,000 files, ms:", JSON.stringify(times));
  expect(times.create).toBeLessThan(60_000);
  expect(times.snapshot).toBeLessThan(30_000);
});
