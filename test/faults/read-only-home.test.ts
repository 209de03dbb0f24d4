import { chmodSync, mkdirSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import type { Scene } from "../../src/cli/cli.testkit.ts";
import {
  expectDoneOnce,
  expectNothingLeft,
  expectSentences,
  faultScene,
  times,
  until,
  waitingPipeline,
  waitingTree,
} from "./fault-scene.ts";
import { SmallDisk, whyNoDisk } from "./small-disk.ts";

// Each starts the program several times.
vi.setConfig({ testTimeout: 180_000 });

const isRoot = process.getuid?.() === 0;
const why = isRoot ? whyNoDisk() : undefined;

/** To root a folder that may not be written to is one on a disk that may not. */
function lockable(scene: Scene): { lock(on: boolean): void } & Disposable {
  if (!isRoot) {
    mkdirSync(scene.home, { recursive: true });
    const lock = (on: boolean): void => chmodSync(scene.home, on ? 0o500 : 0o700);
    return { lock, [Symbol.dispose]: () => lock(false) };
  }
  const disk = new SmallDisk(scene.home, 64);
  return { lock: (on) => disk.readOnly(on), [Symbol.dispose]: () => disk[Symbol.dispose]() };
}

const settings = (): string => "isolation: { free-disk: 0 }\n";

describe.skipIf(why !== undefined)(`a home that may only be read${why === undefined ? "" : ` (NOT TESTED HERE: ${why})`}`, () => {
  test("from the start: run is refused with a sentence that names the folder, and nothing has begun", async () => {
    await using scene = faultScene(waitingPipeline, settings);
    using home = lockable(scene);
    home.lock(true);
    const ended = await scene.run(["run", "p.yaml"]);
    expect([1, 2], ended.stderr).toContain(ended.code);
    expect(ended.stderr).toContain(scene.home);
    expect(ended.stderr).toMatch(/make the folder writable|Give another one with --home/);
    expectSentences(ended);
    expect(scene.git("branch", "--list", "stepfall/*")).toBe("");
  });

  // A folder's mode binds only who opens it anew: with files open, and to root, only a disk can turn read-only.
  test.skipIf(!isRoot)(
    "in the middle of a run: it stops with a sentence, every command answers with one, and resume finishes the run when it may be written to",
    async () => {
      await using scene = faultScene(waitingPipeline, settings);
      using home = lockable(scene);
      const running = scene.start(["run", "p.yaml"]);
      await running.said("slow#1 started");
      await until(() => times(scene, "slow") === 1, "slow has begun");
      // A disk with files that are open for writing cannot be turned: the engine and the keeper are killed, as with a machine that went down.
      running.child.kill("SIGKILL");
      await running.ended;
      scene.write({ "../go": "" });
      await until(() => tryTo(() => home.lock(true)), "the home may only be read");
      for (const args of [["resume"], ["ps"], ["cancel"], ["gc"], ["doctor"]]) {
        const ended = await scene.run(args);
        expect([0, 1, 2], `${args.join(" ")}: ${ended.stderr}`).toContain(ended.code);
        expect(ended.stderr + ended.stdout, args.join(" ")).not.toBe("");
        expectSentences(ended);
        if (args[0] === "resume" || args[0] === "cancel") {
          expect(ended.code, args.join(" ")).not.toBe(0);
          expect(ended.stderr).toMatch(/readonly|read-only|writable/i);
        }
      }
      home.lock(false);
      const resumed = await scene.run(["resume"]);
      expect(resumed.code, resumed.stderr).toBe(0);
      await expectDoneOnce(scene, [...waitingTree, "stepfall.yaml"].toSorted());
      expect([times(scene, "first"), times(scene, "slow")]).toEqual([1, 1]);
      await expectNothingLeft(scene);
    },
  );
});

function tryTo(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
