import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, expect, test, vi } from "vitest";
import type { Git } from "./git.ts";
import { Scratch, snapshotOf } from "./scratch-project.testkit.ts";

/** A git in the PATH that notes who starts it, and waits while a file `hold` names a word of its command. */
class WatchedGit {
  readonly #s: Scratch;
  readonly env: Record<string, string>;

  constructor(s: Scratch) {
    this.#s = s;
    this.env = { ...s.env, PATH: `${s.root}:${s.env["PATH"]}` };
    const script = `#!/bin/sh
echo $PPID >> '${s.path("parents")}'
if [ -f '${s.path("hold")}' ]; then
  case " $* " in *" $(cat '${s.path("hold")}') "*)
    echo held >> '${s.path("held")}'
    while [ -f '${s.path("hold")}' ]; do sleep 0.02; done;;
  esac
fi
PATH='${s.env["PATH"]}'
git "$@"
code=$?
echo "$*" >> '${s.path("ended")}'
exit $code
`;
    writeFileSync(s.path("git"), script);
    chmodSync(s.path("git"), 0o755);
  }

  #lines(name: string): string[] {
    return existsSync(this.#s.path(name)) ? readFileSync(this.#s.path(name), "utf8").trim().split("\n") : [];
  }

  /** The process that started the last command. */
  get lastParent(): number {
    return Number(this.#lines("parents").at(-1));
  }

  hold(word: string): void {
    rmSync(this.#s.path("ended"), { force: true });
    writeFileSync(this.#s.path("hold"), word);
  }

  letGo(): void {
    rmSync(this.#s.path("hold"), { force: true });
  }

  async areHeld(count: number): Promise<void> {
    await vi.waitUntil(() => this.#lines("held").length >= count, { timeout: 10_000, interval: 10 });
  }

  /** Resolves when a command with this word has come to its end since `hold`, whoever still listens. */
  async hasEnded(word: string): Promise<void> {
    await vi.waitUntil(() => this.#lines("ended").some((line) => line.split(" ").includes(word)), { timeout: 10_000, interval: 10 });
  }
}

/** Runs commands until one is started by the runner; answers the runner's pid. */
async function runnerBehind(git: Git, watched: WatchedGit): Promise<number> {
  for (let i = 0; i < 500; i++) {
    await git(["version"]);
    if (watched.lastParent !== process.pid) return watched.lastParent;
    if (i > 12) await wait(10);
  }
  throw new Error("the runner never started a git");
}

/** Every test has a runner of its own: one that died is not replaced in its process. */
beforeEach(() => vi.resetModules());

test("the runner is killed with commands under way: each caller is told, none waits for ever, and later commands are started without it", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { createGit, Slots } = await import("./git.ts");
  const watched = new WatchedGit(s);
  const git = createGit({ env: watched.env, flags: ["-C", dir], slots: new Slots(3) });
  const runner = await runnerBehind(git, watched);

  watched.hold("rev-parse");
  // Three are with the runner, the rest waits for a slot.
  const asked = Array.from({ length: 8 }, () => git(["rev-parse", "HEAD"]).then(String, (error: unknown) => error));
  await watched.areHeld(3);
  const killedAt = performance.now();
  process.kill(runner, "SIGKILL");
  const lost = await Promise.all(asked.slice(0, 3));
  expect(performance.now() - killedAt).toBeLessThan(5_000);
  for (const error of lost)
    expect(error).toMatchObject({
      name: "WorkspaceError",
      code: "GIT_FAILED",
      exitCode: null,
      message: expect.stringMatching(/^git rev-parse HEAD failed: ended by the end of the git runner/) as string,
    });
  watched.letGo();
  expect((await Promise.all(asked.slice(3))).filter((answer) => answer instanceof Error)).toEqual([]);
  expect((await git(["rev-parse", "HEAD"])).stdout.toString().trim()).toBe(s.git(dir, "rev-parse", "HEAD"));
  expect(watched.lastParent).toBe(process.pid);
});

test("the runner is killed in the middle of a snapshot: it is taken again without the runner, and brings all of the work", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { openProject, openWorkspaces } = await import("./index.ts");
  const { createGit, Slots } = await import("./git.ts");
  const watched = new WatchedGit(s);
  const project = await openProject(dir, { env: watched.env });
  const workspaces = openWorkspaces({ project, home: s.home });
  const branch = { runId: "run1", name: "stepfall/run1" };
  await workspaces.createRunBranch(branch, project.head);
  const workspace = await workspaces.create({ runId: "run1", attempt: "run1/a#1", from: project.head });
  s.write(workspace.tree, { "new.txt": "hours of work\n", "README.md": "changed\n" });
  const runner = await runnerBehind(createGit({ env: watched.env, slots: new Slots(1) }), watched);

  watched.hold("write-tree");
  const cut = workspaces.snapshot(snapshotOf(workspace));
  await watched.areHeld(1);
  process.kill(runner, "SIGKILL");
  await watched.areHeld(2);
  watched.letGo();
  // Nobody ends the git that was running: it goes on beside the second one.
  const again = await cut;
  await watched.hasEnded("write-tree");
  expect(again).toMatchObject({ changed: ["README.md", "new.txt"], dropped: [], refused: [] });
  expect(s.git(dir, "show", `${again.commit}:new.txt`)).toBe("hours of work");
  expect(s.git(dir, "status", "--porcelain")).toBe("");
  s.git(dir, "fsck", "--strict", "--no-dangling");
  await workspaces.close();
});

test("the runner is killed while the run branch is moved: that git still moves it, and whoever moved it learns that it stands there", async () => {
  await using s = new Scratch();
  const dir = s.repository("p");
  const { openProject, openWorkspaces } = await import("./index.ts");
  const { createGit, Slots } = await import("./git.ts");
  const watched = new WatchedGit(s);
  const project = await openProject(dir, { env: watched.env });
  const workspaces = openWorkspaces({ project, home: s.home });
  const branch = { runId: "run1", name: "stepfall/run1" };
  await workspaces.createRunBranch(branch, project.head);
  const next = s.commit(dir, "work");
  const runner = await runnerBehind(createGit({ env: watched.env, slots: new Slots(1) }), watched);

  watched.hold("update-ref");
  const cut = workspaces.advance(branch, project.head, next);
  await watched.areHeld(1);
  process.kill(runner, "SIGKILL");
  await watched.areHeld(2);
  expect(await workspaces.tip(branch)).toBe(project.head);
  watched.letGo();
  // One of the two has moved it; the one that was lost tells nobody.
  expect((await cut).tip).toBe(next);
  await watched.hasEnded("update-ref");
  expect(await workspaces.tip(branch)).toBe(next);
  expect(await workspaces.advance(branch, project.head, next)).toEqual({ moved: false, tip: next });
  await workspaces.close();
});
