import { describe, expect, test, vi } from "vitest";
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

const why = whyNoDisk();
const settings = (): string => "isolation: { free-disk: 4MB }\n";

describe.skipIf(why !== undefined)(`on a home with a disk of its own${why === undefined ? "" : ` (NOT TESTED HERE: ${why})`}`, () => {
  test("a disk that has too little room from the start is refused by name, before any attempt", async () => {
    await using scene = faultScene(waitingPipeline);
    using _ = new SmallDisk(scene.home, 16);
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toMatch(/NO_DISK_ROOM: only .* free on the disk of Stepfall's folder/);
    expectSentences(ended);
    expect(times(scene, "first")).toBe(0);
  });

  test("it fills up while a step works: the run stops with that reason, loses nothing, and resume finishes it when there is room", async () => {
    await using scene = faultScene(waitingPipeline, settings);
    using disk = new SmallDisk(scene.home, 16);
    const running = scene.start(["run", "p.yaml"]);
    await running.said("slow#1 started");
    await until(() => times(scene, "slow") === 1, "slow has begun");
    disk.fill();
    scene.write({ "../go": "" });
    const ended = await running.ended;
    expect(ended.code, ended.stderr + ended.stdout).toBe(1);
    expect(ended.stderr).toMatch(/NO_DISK_ROOM|STORE_FULL|No space left|database or disk is full/);
    expectSentences(ended);
    const early = await scene.run(["resume"]);
    expect(early.code, early.stderr).toBe(1);
    expectSentences(early);
    disk.free();
    const resumed = await scene.run(["resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    await expectDoneOnce(scene, [...waitingTree, "stepfall.yaml"].toSorted());
    expect(times(scene, "first")).toBe(1);
    await expectNothingLeft(scene);
  });

  test("an agent that fills it is told apart from work that failed: its workspace goes, and the next attempt has the room", async () => {
    const greedy = (folder: string): string => `steps:
  greedy:
    command: "if [ ! -e ${folder}/greedy.log ]; then echo 1 > ${folder}/greedy.log; dd if=/dev/zero of=big bs=64k; exit 1; fi; echo done > greedy.txt"
    outputs: [greedy.txt]
`;
    await using scene = faultScene(greedy, settings);
    using _ = new SmallDisk(scene.home, 16);
    const ended = await scene.run(["run", "p.yaml"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/greedy#1 interrupted: the disk of Stepfall's folder was full/);
    expectSentences(ended);
    await expectDoneOnce(scene, ["README.md", "greedy.txt", "p.yaml", "stepfall.yaml"]);
    await expectNothingLeft(scene);
  });

  test("the model gateway cannot write down what a call costs: none is made that is not, and after a resume each is billed once", async () => {
    await using scene = faultScene(
      () => `steps:
  a: { prompt: Write a.txt, outputs: [a.txt] }
  b: { needs: a, prompt: Write b.txt, outputs: [b.txt], retry: 2 }
`,
      () => `${settings()}providers: { scripted: { script: model-script.json, prices: { m: { input: 1, output: 2 } } } }
agents: { talker: { executor: chat, model: scripted/m } }
default-agent: talker
`,
    );
    const write = (file: string): unknown => ({ toolCalls: [{ name: "write_file", arguments: { path: file, content: file } }] });
    const rule = (file: string): unknown => ({
      when: { lastUser: file },
      turns: [write(file), { text: `${file} is written.`, wordsPerChunk: 1, chunkDelayMs: 300 }],
    });
    scene.write({ "model-script.json": JSON.stringify({ models: ["m"], rules: [rule("a.txt"), rule("b.txt")] }) });
    scene.git("add", "--all");
    scene.git("commit", "--quiet", "--message", "script");
    using disk = new SmallDisk(scene.home, 24);
    const running = scene.start(["run", "p.yaml"]);
    await running.said(/b#1 .*write_file|b#1 started/);
    disk.fill();
    const ended = await running.ended;
    expect(ended.code, ended.stderr + ended.stdout).toBe(1);
    expectSentences(ended);
    disk.free();
    const resumed = await scene.run(["resume"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    const kept = await expectDoneOnce(scene, ["README.md", "a.txt", "b.txt", "model-script.json", "p.yaml", "stepfall.yaml"]);
    expect(new Set(kept.calls.map((c) => c.callId)).size).toBe(kept.calls.length);
    await expectNothingLeft(scene);
  });
});
